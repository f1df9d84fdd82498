"""The processes of one training.

`accelerate launch` starts each with RANK and WORLD_SIZE set; the one of rank 0 speaks and writes, the others only compute.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from hubtweets.errors import HubtweetsError
from hubtweets.training.interrupts import forward_signals

ERROR = b"Error: "  # how the command line begins its last line


def launch(number: int, arguments: Sequence[str]) -> None:
    """Run `hubtweets` with the arguments in `number` processes by `accelerate launch`; raise HubtweetsError with what they said when they fail.

    A default config of Accelerate, where `accelerate config` wrote one, says how (FSDP, DeepSpeed); without one it is DDP.
    """
    import torch
    from accelerate.commands.config.config_args import default_config_file, load_config_from_file
    from accelerate.utils import DistributedType

    from hubtweets.models.hardware import choose_precision

    if (devices := torch.cuda.device_count()) and number > devices:
        raise HubtweetsError(
            f"{number} processes want {number} GPUs, there are {devices}; type: --num-processes {devices}"
        )
    how, environ = [], dict(os.environ)
    config = load_config_from_file(None) if Path(default_config_file).is_file() else None
    if config is None or config.distributed_type == DistributedType.NO or not devices:
        how = [
            "--multi_gpu",
            "--num_machines",
            "1",
            "--mixed_precision",
            choose_precision(),
            "--dynamo_backend",
            "no",
        ]
    if not devices:  # `--cpu` would silently start one process
        threads = max(1, (os.cpu_count() or 1) // number)
        environ |= {
            "ACCELERATE_USE_CPU": "1",
            "OMP_NUM_THREADS": environ.get("OMP_NUM_THREADS", str(threads)),
        }
    command = [
        sys.executable,
        "-m",
        "accelerate.commands.accelerate_cli",
        "launch",
        *how,
        "--num_processes",
        str(number),
        "--main_process_port",
        "0",
    ]
    command += ["-m", "hubtweets", *arguments]
    reason = ""
    with (
        subprocess.Popen(
            command, env=environ, stderr=subprocess.PIPE, start_new_session=True
        ) as process,
        forward_signals(process) as asked,
    ):
        assert process.stderr
        for line in process.stderr:  # behind the first error come the launcher's own words about it
            if line.startswith(ERROR) and not reason:
                reason = line.removeprefix(ERROR).decode(errors="replace").strip()
            elif not reason:
                sys.stderr.buffer.write(line)
                sys.stderr.flush()
    if process.returncode and asked:
        raise HubtweetsError(
            reason or "stopped; type the command again to go on from the last checkpoint"
        )
    if process.returncode:
        raise HubtweetsError(
            reason
            or f"the {number} processes failed (see above); type the command again, or without --num-processes"
        )
