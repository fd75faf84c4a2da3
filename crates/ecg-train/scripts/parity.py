#!/usr/bin/env python3
"""Does onnxruntime give what the trainer gave?

    ecg-train parity --model models/NAME.onnx --dump /tmp/parity.json
    python3 crates/ecg-train/scripts/parity.py /tmp/parity.json

Needs `pip install onnxruntime` (which brings numpy). Prints the largest difference over all outputs, one beat at a time
and all beats in one batch; exits 1 when it exceeds 1e-4.
"""

import json
import sys

import numpy
import onnxruntime

TOLERANCE = 1e-4


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        dump = json.load(file)
    session = onnxruntime.InferenceSession(dump["model"], providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    beats = numpy.array(dump["beats"], dtype=numpy.float32)[:, None, :]
    worst = 0.0
    for label, batches in (("one by one", [beats[i : i + 1] for i in range(len(beats))]), ("as one batch", [beats])):
        answers = [session.run(names, {"beat": batch}) for batch in batches]
        for position, name in enumerate(names):
            got = numpy.concatenate([answer[position] for answer in answers])
            difference = float(numpy.abs(got - numpy.array(dump[name], dtype=numpy.float32)).max())
            worst = max(worst, difference)
            print(f"{name:10} {label:13} {got.shape}  largest difference {difference:.2e}")
        lengths = numpy.linalg.norm(numpy.concatenate([answer[names.index("embedding")] for answer in answers]), axis=1)
        worst = max(worst, float(numpy.abs(lengths - 1).max()))
    print(f"onnxruntime {onnxruntime.__version__}: {worst:.2e} ({'within' if worst <= TOLERANCE else 'BEYOND'} {TOLERANCE})")
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
