"""Schema of the table of profiles."""

from terranas.core.tables import Column, TableSchema

OUTCOMES = ("ok", "out_of_memory", "not_finite")

PROFILES = TableSchema(
    name="profiling.profiles",
    version=1,
    key=("hash", "device"),
    columns=(
        Column("hash", "string", "architecture"),
        Column("device", "string", "kind of device: cpu or cuda"),
        Column("device_name", "string", "model of the device"),
        Column("description", "string", "driver, library versions, threads, load and clocks, as JSON", measured=True),
        Column("protocol", "string", "named measuring protocol"),
        Column("batch_size", "int64", "images in a batch", ge=1),
        Column("threads", "int64", "threads of torch", ge=1),
        Column("session", "int64", "index of the session", ge=0),
        Column("position", "int64", "position in the session's random order, from 0", ge=0),
        Column("outcome", "string", "ok, or why there are no times", isin=OUTCOMES),
        Column("runs", "int64", "timed runs", ge=0),
        Column(
            "latency_ms",
            "float64",
            "median time of one forward pass of a batch, input already on the device",
            unit="ms",
            direction="minimise",
            measured=True,
            ge=0,
        ),
        Column("latency_iqr_ms", "float64", "interquartile range of the times", unit="ms", measured=True, ge=0),
        Column("latency_p90_ms", "float64", "90th percentile of the times", unit="ms", measured=True, ge=0),
        Column("latency_mean_ms", "float64", "mean of the times", unit="ms", measured=True, ge=0),
        Column("latency_std_ms", "float64", "standard deviation of the times", unit="ms", measured=True, ge=0),
        Column("images_per_second", "float64", "batch size over median time", unit="1/s", measured=True, ge=0),
        Column("peak_memory_bytes", "float64", "allocator peak; NaN on the CPU", unit="B", measured=True, ge=0),
        Column("parameters", "int64", "trainable parameters of the built network", ge=1),
        Column(
            "macs",
            "int64",
            "multiply-accumulates for one image, counted in the built network",
            unit="MAC",
            ge=1,
        ),
        Column("model_bytes", "int64", "bytes of the state dict's tensors", unit="B", direction="minimise", ge=1),
    ),
)
