"""Checking trees in XGBoost's JSON before XGBoost reads them.

XGBoost takes the numbers of children and features in a file on trust; wrong ones make it read memory that is not its
own. The layout is that of XGBoost's documented model schema (versions 2 and 3).
"""

from itertools import pairwise
from typing import Any

MOST_NODES = 50_000_000
_ROOT = 2**31 - 1  # the parent of a root
_WHOLE = ("left_children", "right_children", "parents", "split_indices", "split_type", "default_left")
_REAL = ("split_conditions", "base_weights", "loss_changes", "sum_hessian")
_EMPTY = ("categories", "categories_nodes", "categories_segments", "categories_sizes")


def require_trees(model: Any, features: int) -> None:
    """Check that a JSON model is a sum of regression trees of one target over some number of features.

    Args:
        model: what a file holds where XGBoost's model is expected.
        features: number of features.

    Raises:
        ValueError: it is no such model, or XGBoost might read or loop out of bounds in it.
    """
    try:
        version = model["version"]
        _require(isinstance(version, list) and [type(part) for part in version] == [int] * 3, "a version is expected")
        _require(2 <= version[0] <= 3, f"XGBoost 2 or 3 must have written it, not {version[0]}")
        learner = model["learner"]
        booster = learner["gradient_booster"]
        trees = booster["model"]["trees"]
        _require(booster["name"] == "gbtree", "the booster must be gbtree")
        _require(set(booster) <= {"name", "model"}, "the booster has unknown parts")
        _require(str(learner["objective"]["name"]).startswith("reg:"), "the objective must be one of regression")
        shape = learner["learner_model_param"]
        _require(_whole(shape["num_feature"]) == features, f"trees over {features} features are expected")
        _require(_whole(shape["num_class"]) == 0 and _whole(shape["num_target"]) == 1, "one target is expected")
        _require(isinstance(trees, list) and len(trees) > 0, "trees are expected")
        facts = booster["model"]["gbtree_model_param"]
        _require(_whole(facts["num_trees"]) == len(trees), "the number of trees must be true")
        _require_rounds(booster["model"], len(trees), _whole(facts["num_parallel_tree"]))
        _require_no_categories(booster["model"].get("cats", {}))
        _require(not learner.get("feature_types"), "features must have no types")
        _require(not learner.get("feature_names"), "features must have no names")
        left = MOST_NODES
        for number, tree in enumerate(trees):
            _require(tree["id"] == number, f"tree {number} must be numbered so")
            left -= _require_tree(tree, features)
            _require(left >= 0, f"at most {MOST_NODES:,} nodes are read")
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a part is missing or of the wrong kind ({str(error)[:80]})") from error


def _require_tree(tree: dict[str, Any], features: int) -> int:
    """Check one tree and return its number of nodes."""
    facts = tree["tree_param"]
    nodes = _whole(facts["num_nodes"])
    _require(_whole(facts["num_feature"]) == features, f"trees over {features} features are expected")
    _require(_whole(facts["size_leaf_vector"]) in (0, 1), "a leaf has one value")
    _require(_whole(facts["num_deleted"]) == 0, "no node may be deleted")
    for name in (*_WHOLE, *_REAL):
        values = tree[name]
        _require(isinstance(values, list) and len(values) == nodes >= 1, f"{name} must have one entry a node")
        kinds = (int,) if name in _WHOLE else (int, float)
        _require(all(type(value) in kinds for value in values), f"{name} must hold numbers")
    for name in _REAL:
        _require(all(abs(value) <= 3e38 for value in tree[name]), f"{name} must fit into 32 bits")
    _require(all(tree[name] == [] for name in _EMPTY), "there must be no categories")
    _require(not any(tree["split_type"]), "splits must be numerical")
    _require(set(tree["default_left"]) <= {0, 1}, "default_left must be 0 or 1")
    _require(all(0 <= index < features for index in tree["split_indices"]), "a split's feature is out of range")
    parents = tree["parents"]
    _require(parents[0] in (-1, _ROOT), "the first node must be the root")
    children = 0
    for node, (left, right) in enumerate(zip(tree["left_children"], tree["right_children"], strict=True)):
        if left == right == -1:
            continue
        # a child behind its parent: no path can run in a circle
        _require(node < left < nodes and node < right < nodes and left != right, f"node {node} has impossible children")
        _require(parents[left] == node and parents[right] == node, f"the children of node {node} have other parents")
        children += 2
    _require(children == nodes - 1, "every node but the root must have one parent")
    return nodes


def _require_rounds(model: dict[str, Any], trees: int, parallel: int) -> None:
    _require(parallel >= 1, "at least one tree a round")
    groups, bounds = model["tree_info"], model["iteration_indptr"]
    _require(groups == [0] * trees, "all trees belong to one target")
    _require(
        isinstance(bounds, list)
        and all(type(bound) is int for bound in bounds)
        and bounds[:1] == [0]
        and bounds[-1:] == [trees]
        and all(first < second for first, second in pairwise(bounds)),
        "rounds must be ascending counts of trees",
    )


def _require_no_categories(categories: dict[str, Any]) -> None:
    _require(not any(categories.get(name) for name in categories), "there must be no categories")


def _whole(text: Any) -> int:
    """Return a whole number that XGBoost writes as a text."""
    if isinstance(text, str) and len(text) <= 12 and text.lstrip("-").isascii() and text.lstrip("-").isdigit():
        return int(text)
    raise ValueError(f"a whole number is expected, got {str(text)[:20]!r}")


def _require(true: bool, problem: str) -> None:
    if not true:
        raise ValueError(problem)
