"""What the rules on the searched benchmark share. No rule stands here."""

ARMS = ("surrogate", "random")


def searched(path):
    """Return a path below the results folder with the searched benchmark's name filled in."""
    return f"{RESULTS}/{path}".replace("{benchmark}", STUDY.search.benchmark)


def arm_budgets(wildcards):
    """Return the evaluation budgets of an arm, ascending."""
    return getattr(STUDY.search.budgets, wildcards.arm)


def predicted_fronts(wildcards):
    """Return the predicted fronts for the arm that starts from them, nothing for random starts."""
    if wildcards.arm == "random":
        return []
    return f"{RESULTS}/surrogates/{wildcards.benchmark}/predicted_fronts.parquet"
