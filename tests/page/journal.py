"""Writes a result table's journal with made-up rows, of which `sonoprint merge` makes a page.

    python3 tests/page/journal.py rows.csv 10000 [--tags] [--no-embeddings]
    sonoprint merge rows.csv --out all.csv --report page.html
"""

import argparse
import json
import math
import random
import zlib

GENRES = ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"]
TAGS = ["rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s", "alternative rock",
        "jazz", "beautiful", "metal", "chillout", "male vocalists", "classic rock", "soul", "indie rock", "Mellow",
        "electronica", "80s", "folk", "90s", "chill", "instrumental", "punk", "oldies", "blues", "hard rock",
        "ambient", "acoustic", "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country",
        "easy listening", "sexy", "catchy", "funk", "electro", "heavy metal", "Progressive rock", "60s", "rnb",
        "indie pop", "sad", "House", "happy"]
WORDS = "amber night river glass north velvet echo train summer static harbor silver dust moon paper wolf".split()
LENGTH = 64


def line(value):
    members = json.dumps(value, separators=(",", ":"), ensure_ascii=False)[1:].encode()
    return b'{"crc":"%08x",%s\n' % (zlib.crc32(members), members)


def rows(count, classes, tags, embeddings):
    draw = random.Random(1)
    centers = [[draw.gauss(0, 1) for _ in range(LENGTH)] for _ in classes]
    for i in range(count):
        genre = min(int(draw.expovariate(3 / len(classes))), len(classes) - 1)
        pull = draw.uniform(0.2, 5)
        weights = [math.exp(draw.gauss(0, 1) + (pull if c == genre else 0)) for c in range(len(classes))]
        whole = sum(weights) if not tags else 2 * max(weights)
        artist, album = draw.choice(WORDS), f"{draw.choice(WORDS)} {draw.choice(WORDS)}"
        path = f"music/{artist}/{1960 + draw.randrange(65)} {album}/{i:07} {draw.choice(WORDS)} {draw.choice(WORDS)}.flac"
        if draw.random() < 0.004:
            outcome = {"failed": {"reason": draw.choice(["unsupported", "damaged", "too_short"]),
                                  "message": "the file is made up"}}
        else:
            outcome = {"ok": {"probabilities": [round(w / whole, 6) for w in weights],
                              "seconds": round(draw.uniform(60, 420), 2), "clips": 8}}
            if draw.random() < 0.01:
                outcome["ok"]["padded"] = True
            if embeddings:
                outcome["ok"]["embedding"] = [round(pull * c / 3 + draw.gauss(0, 1), 4) for c in centers[genre]]
        yield {"file": {"path": path, "outcome": outcome}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("rows", type=int)
    parser.add_argument("--tags", action="store_true")
    parser.add_argument("--no-embeddings", action="store_true")
    args = parser.parse_args()
    classes = TAGS if args.tags else GENRES
    settings = {"journal": 2, "model": "made up", "classes": classes,
                "task": "multi_label" if args.tags else "single_label", "overlap": 0.0, "timeline": False,
                "min_confidence": 0.2, "embeddings": not args.no_embeddings, "half": False,
                "shard": {"number": 1, "of": 1}}
    if args.tags:
        settings["threshold"] = 0.2
    with open(args.table + ".journal", "wb") as out:
        out.write(line({"settings": settings}))
        for row in rows(args.rows, classes, args.tags, not args.no_embeddings):
            out.write(line(row))
        out.write(line({"end": {"files": args.rows}}))


main()
