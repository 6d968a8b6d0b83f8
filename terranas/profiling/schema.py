"""Schemas of what measuring leaves: each measurement, its samples, and the records that are made of them."""

from terranas.core.tables import Column, TableSchema

OUTCOMES = ("ok", "out_of_memory", "not_finite", "unsupported")
"""Why a condition has no times; ``unsupported``: the device or torch cannot run that precision or variant."""

ROLES = ("member", "reference", "empty")
"""What was measured: an architecture of the session, the reference network between them, or a network that returns its
input, whose time is what measuring itself takes."""

FLAGS = {
    "throttled": "the device lowered its clocks for heat or power",
    "clock_changed": "the device's clock changed within the measurement",
    "foreign_load": "others computed on the device meanwhile",
    "unsteady": "the runs of the measurement scatter",
    "drift": "the reference network around it became faster or slower",
    "few_sessions": "fewer sessions than asked for could be used",
    "varies": "the sessions' medians deviate by more than the goal",
}
"""What can be wrong with a measurement or a record, by flag. Flags are listed in this order, separated by commas."""

MACS_CONVENTION = (
    "multiply-accumulates of the convolutions and the linear layer for one image, half of what "
    "torch.utils.flop_counter counts; normalisation, activation, pooling, sums and biases do not count"
)

_CONDITION = (
    Column("batch_size", "int64", "images in a batch", ge=1),
    Column("precision", "string", "type of weights and feature maps", isin=("fp32", "tf32", "bf16", "fp16")),
    Column(
        "variant",
        "string",
        "plain, with batch normalisation folded, or either as a CUDA graph",
        isin=("plain", "folded", "graph", "folded_graph"),
    ),
)

CONDITION = [column.name for column in _CONDITION]
"""Columns that name a condition."""

_TIMES = (
    Column(
        "latency_ms",
        "float64",
        "time of one forward pass of a batch: the median, input already on the device; by the published protocol the "
        "mean, and the copy of the input counts",
        unit="ms",
        direction="minimise",
        measured=True,
        ge=0,
    ),
    Column("latency_low_ms", "float64", "lower end of the median's 95 % interval", unit="ms", measured=True, ge=0),
    Column("latency_high_ms", "float64", "upper end of the median's 95 % interval", unit="ms", measured=True, ge=0),
    Column("latency_iqr_ms", "float64", "interquartile range of the times", unit="ms", measured=True, ge=0),
    Column("latency_p90_ms", "float64", "90th percentile of the times", unit="ms", measured=True, ge=0),
    Column("latency_p99_ms", "float64", "99th percentile of the times", unit="ms", measured=True, ge=0),
    Column("latency_mean_ms", "float64", "mean of the times", unit="ms", measured=True, ge=0),
    Column("latency_std_ms", "float64", "standard deviation of the times", unit="ms", measured=True, ge=0),
    Column("images_per_second", "float64", "batch size over latency", unit="1/s", measured=True, ge=0),
)

TIMES = tuple(column.name for column in _TIMES)
"""Columns that are NaN where a condition could not be run."""

_MEMORY = (
    Column(
        "peak_memory_bytes",
        "float64",
        "most memory taken: by torch's allocator on a GPU, else resident in a process of its own",
        unit="B",
        direction="minimise",
        measured=True,
        ge=0,
    ),
    Column(
        "baseline_memory_bytes",
        "float64",
        "memory of that process before it built the network; 0 on a GPU",
        unit="B",
        measured=True,
        ge=0,
    ),
)

_ENERGY = (
    Column(
        "energy_mj",
        "float64",
        "energy an image, without what the idle device takes; NaN where no counter can be read",
        unit="mJ",
        direction="minimise",
        measured=True,
    ),
    Column("energy_gross_mj", "float64", "energy an image, all of it", unit="mJ", measured=True, ge=0),
    Column("idle_power_w", "float64", "power of the idle device", unit="W", measured=True, ge=0),
)

_SIZE = (
    Column("parameters", "int64", "trainable parameters of the built network", direction="minimise", ge=1),
    Column("macs", "int64", MACS_CONVENTION, unit="MAC", direction="minimise", ge=1),
    Column(
        "activations",
        "int64",
        "elements that the convolutions put out for one image (Radosavovic et al. 2020, section 3)",
        direction="minimise",
        ge=1,
    ),
    Column("depth", "int64", "convolutions and linear layers on the longest path from image to logits", ge=1),
    Column("model_bytes", "int64", "bytes of the state dict's tensors", unit="B", direction="minimise", ge=1),
    Column("checkpoint_bytes", "int64", "bytes of the state dict as a file", unit="B", direction="minimise", ge=1),
)

SIZES = TableSchema(
    name="profiling.sizes",
    version=1,
    key=("hash",),
    columns=(Column("hash", "string", "architecture"), *_SIZE),
)
"""Size of the networks of a session."""

_COST = (*_TIMES, *_MEMORY, *_ENERGY)
_FLAGS = Column("flags", "string", "what was wrong, separated by commas; empty where nothing was", measured=True)
_OUTCOME = Column("outcome", "string", "ok, or why there are no times", isin=OUTCOMES)
_DEVICE = (
    Column("device", "string", "kind of device: cpu, cuda, or what an own backend calls itself"),
    Column("device_name", "string", "model of the device"),
)

MEASUREMENTS = TableSchema(
    name="profiling.measurements",
    version=1,
    key=("session", "sequence"),
    columns=(
        *_DEVICE,
        Column("session", "int64", "index of the session", ge=0),
        Column("sequence", "int64", "place in the order of the session's measurements, from 0", ge=0),
        Column("block", "int64", "block of architectures between two reference measurements, from 0", ge=0),
        Column("process", "int64", "process of the session: 0, and one more each time it was killed and went on", ge=0),
        Column("role", "string", "member, reference or empty", isin=ROLES),
        Column("hash", "string", "architecture; empty for the empty network"),
        *_CONDITION,
        Column("attempt", "int64", "attempts before this one; each reference measurement counts anew", ge=0),
        Column("is_accepted", "bool", "whether it is the attempt that the record is made of"),
        _OUTCOME,
        _FLAGS,
        Column("runs", "int64", "timed runs", measured=True, ge=0),
        *_COST,
        Column("started", "float64", "when it began (Unix time)", unit="s", measured=True, ge=0),
        Column("sm_clock_mhz", "float64", "clock of the GPU under load", unit="MHz", measured=True, ge=0),
        Column("temperature_c", "float64", "temperature of the GPU after it", unit="°C", measured=True),
        Column("power_w", "float64", "power of the GPU under load", unit="W", measured=True, ge=0),
        Column("foreign_load", "float64", "processor cores that others kept busy", measured=True, ge=0),
        Column("load_average", "float64", "load average over one minute", measured=True, ge=0),
    ),
)
"""One row a measurement, repeated and disturbed ones and those of the reference network included."""

SAMPLES = TableSchema(
    name="profiling.samples",
    version=1,
    key=("session", "sequence", "run"),
    columns=(
        Column("session", "int64", "index of the session", ge=0),
        Column("sequence", "int64", "which measurement of the session", ge=0),
        Column("run", "int64", "index of the run, from 0", ge=0),
        Column("latency_ms", "float64", "time of the run", unit="ms", measured=True, ge=0),
    ),
)
"""Every timed run of every measurement."""

_USED = (
    Column("sessions", "int64", "sessions whose measurement is used", measured=True, ge=0),
    Column(
        "disturbed_sessions",
        "int64",
        "sessions left out, or used for want of better ones, as disturbed",
        measured=True,
        ge=0,
    ),
    Column("runs", "int64", "timed runs used", measured=True, ge=0),
    Column(
        "session_variation",
        "float64",
        "standard deviation over mean of the sessions' latencies; NaN for one session",
        measured=True,
        ge=0,
    ),
)

CONDITIONS = TableSchema(
    name="profiling.conditions",
    version=1,
    key=("hash", "device", "device_name", "batch_size", "precision", "variant"),
    columns=(
        Column("hash", "string", "architecture"),
        *_DEVICE,
        *_CONDITION,
        _OUTCOME,
        _FLAGS,
        *_USED,
        *_COST,
    ),
)
"""What the sessions say together of an architecture, a device and a condition."""

PROFILES = TableSchema(
    name="profiling.profiles",
    version=2,
    key=("hash", "device", "device_name"),
    columns=(
        Column("hash", "string", "architecture"),
        *_DEVICE,
        Column("protocol", "string", "named measuring protocol", isin=("quick", "full", "published")),
        Column("settings", "string", "all settings of the protocol, as JSON"),
        Column("description", "string", "driver, library versions, threads, load and clocks, as JSON", measured=True),
        Column("threads", "int64", "threads of torch", ge=1),
        Column("memory_format", "string", "order of the values of feature maps in memory"),
        Column("weights", "string", "drawn or trained"),
        *_CONDITION,
        _OUTCOME,
        _FLAGS,
        *_USED,
        *_COST,
        *_SIZE,
    ),
)
"""One record an architecture and device: what it costs in the primary condition, and its size."""
