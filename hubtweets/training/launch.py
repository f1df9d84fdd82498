"""The processes of one training.

`accelerate launch` starts each with RANK and WORLD_SIZE set; the one of rank 0 logs and writes, the
others only compute.
"""

import os
import subprocess
import sys
from pathlib import Path

from hubtweets.errors import HubtweetsError, StoppedError
from hubtweets.progress import logger
from hubtweets.training.interrupts import forward_signals
from hubtweets.training.job import ERROR


def launch(number: int, module: str, folder: Path) -> None:
    """Run a module in `number` processes on the folder of a job.

    The default config of Accelerate, if `accelerate config` wrote one, says how (FSDP, DeepSpeed);
    without one it is DDP. If the processes fail, it raises HubtweetsError with what they left in
    `error.txt`.
    """
    how, environment = choose_settings(number)
    error = folder / ERROR
    error.unlink(missing_ok=True)
    command = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch", *how]
    command += [
        "--num_processes",
        str(number),
        "--main_process_port",
        "0",
        "-m",
        module,
        str(folder),
    ]
    settings: dict = {"env": environment, "stderr": subprocess.PIPE, "start_new_session": True}
    with subprocess.Popen(command, **settings) as process, forward_signals(process) as asked:
        assert process.stderr
        for line in process.stderr:
            if not error.exists():  # behind it come the launcher's own words about it
                show(line.decode(errors="replace"))
    if process.returncode:
        reason = error.read_text(encoding="utf-8") if error.exists() else ""
        error.unlink(missing_ok=True)
        if asked:
            default = "stopped; type the command again to go on from the last checkpoint"
        else:
            default = (
                f"the {number} processes failed (see above); "
                "type the command again, or without --num-processes"
            )
        raise (StoppedError if asked else HubtweetsError)(reason or default)


def show(line: str) -> None:
    """Log what the training says as if it were here, and pass on anything else."""
    if line.startswith("train: "):
        logger.info(line.rstrip("\n"))
    else:
        sys.stderr.write(line)
        sys.stderr.flush()


def choose_settings(number: int) -> tuple[list[str], dict[str, str]]:
    """Return options and environment of `accelerate launch`.

    Raises HubtweetsError if there are too few GPUs.
    """
    import torch
    from accelerate.commands.config.config_args import default_config_file, load_config_from_file
    from accelerate.utils import DistributedType

    from hubtweets.models.hardware import choose_precision

    if (devices := torch.cuda.device_count()) and number > devices:
        raise HubtweetsError(
            f"{number} processes want {number} GPUs, there are {devices}; "
            f"type: --num-processes {devices}"
        )
    how, environment = [], dict(os.environ)
    config = load_config_from_file(None) if Path(default_config_file).is_file() else None
    if config is None or config.distributed_type == DistributedType.NO or not devices:
        how = ["--multi_gpu", "--num_machines", "1", "--dynamo_backend", "no"]
        how += ["--mixed_precision", choose_precision()]
    if not devices:  # `--cpu` would silently start one process
        threads = str(max(1, (os.cpu_count() or 1) // number))
        environment.setdefault("OMP_NUM_THREADS", threads)
        environment["ACCELERATE_USE_CPU"] = "1"
    return how, environment
