#!/usr/bin/env python3
"""A database for cargo-deny from known.psv: database.py FOLDER [--with PACKAGE]. Python standard library and git.

Makes FOLDER a git repository in RustSec's format. --with adds an advisory, made up, against every version of PACKAGE:
with it a check has to fail. Prints what it knows of Cargo.lock, and what not.
"""
import argparse
import json
import re
import subprocess
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
MADE_UP = "RUSTSEC-2026-9999"


def listed(text):
    return json.dumps([part.strip() for part in text.split(";") if part.strip()])


def advisory(number, package, date, informational, withdrawn, patched, unaffected, what):
    optional = {"informational": informational, "withdrawn": withdrawn}
    lines = [f'id = "{number}"', f'package = "{package}"', f'date = "{date}"']
    lines += [f'{key} = "{value}"' for key, value in optional.items() if value]
    lines += ["[versions]", f"patched = {listed(patched)}", f"unaffected = {listed(unaffected)}"]
    return "```toml\n[advisory]\n" + "\n".join(lines) + f"\n```\n\n# {package}: {what}\n\n{what}.\n"


def rows(path):
    return (line for line in path.read_text().splitlines() if line and not line.startswith("#"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--with", dest="against", metavar="PACKAGE")
    args = parser.parse_args()
    known = [row.split("|") for row in rows(HERE / "known.psv")]
    known = [["RUSTSEC-" + row[0], *row[1:]] for row in known]
    if args.against:
        known.append([MADE_UP, args.against, "2026-01-01", "", "", "", "", "Made up: a check has to fail"])
    for row in known:
        file = args.folder / "crates" / row[1] / f"{row[0]}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(advisory(*row))
    author = ["-c", "user.name=ecgid", "-c", "user.email=ecgid@localhost"]
    for command in (["init", "--quiet", "--initial-branch=main"], ["add", "."], [*author, "commit", "--quiet", "-m", "."]):
        subprocess.run(["git", "-C", args.folder, *command], check=True)
    names = list(rows(HERE / "looked_up.txt"))
    skipped = {name for row in names if row.startswith("- ") for name in row[2:].split()}
    looked_up = {name for row in names if not row.startswith("- ") for name in row.split()}
    lock = {package["name"] for package in tomllib.loads((HERE.parent.parent / "Cargo.lock").read_text())["package"]}
    as_of = re.search(r"as of ([\d-]+)", (HERE / "known.psv").read_text()).group(1)
    print(f"advisories as of {as_of}: {len(known)} about {len(lock & looked_up)} crates of Cargo.lock, "
          f"{len(lock & skipped)} more without a look; new since, and unknown: {', '.join(sorted(lock - looked_up - skipped)) or 'none'}")


if __name__ == "__main__":
    main()
