"""Makes the files that `compare.py` decodes.

    make_files.py [--only NAME_OR_KIND] [--no-expected] [FOLDER]

`manifest.json` says of each file what is odd about it and what an answer must fulfil. With the
reference decoders, `golden.json` has the lengths and checksums of acceptable answers.
"""

import argparse
import shutil
import sys

from corpus import Corpus
from kinds import (
    aac,
    flac_headers,
    flac_holes,
    flac_ietf,
    more_faults,
    mp3_around,
    mp3_holes,
    mp3_lengths,
    mp4_damage,
    mp4_edits,
    mp4_wrappings,
    ogg_chains,
    ogg_holes,
    ogg_streams,
    opus,
    pcm,
    telephone,
    wav_faults,
    words,
)

KINDS = [
    ogg_streams.channels,
    pcm.quicktime,
    pcm.formats,
    telephone.afsp,
    aac.profiles,
    mp3_lengths.counts,
    mp3_lengths.joined,
    mp3_lengths.changes,
    mp3_holes.holes,
    flac_holes.holes,
    flac_holes.changes,
    ogg_holes.faults,
    ogg_chains.chained,
    ogg_chains.multiplexed,
    opus.opus,
    mp4_edits.edits,
    mp4_wrappings.wrappings,
    wav_faults.broken_wav,
    flac_headers.headers,
    flac_ietf.ietf_flac,
    mp3_around.fronts,
    mp3_around.layers,
    mp4_damage.damage,
    more_faults.broken_aiff,
    more_faults.odd_boxes,
    more_faults.large_comments,
    more_faults.without_start,
    words.unsupported,
    words.not_audio,
    words.extremes,
]
# Debian has fdkaac in `contrib` and its library in `non-free`, all else in `main`.
PROGRAMS = [
    "ffmpeg",
    "ffprobe",
    "fdkaac",
    "flac",
    "lame",
    "mpg123",
    "oggdec",
    "oggenc",
    "opusdec",
    "opusenc",
    "sox",
    "speexenc",
    "twolame",
]


def make(folder, only=None, expected=True):
    """Makes the files and their manifest, and returns the manifest."""
    missing = [p for p in PROGRAMS if not shutil.which(p)]
    if missing:
        sys.exit(f"not installed: {', '.join(missing)}; see tests/reference/README.md")
    corpus = Corpus(folder, only, expected)
    for kind in KINDS:
        kind(corpus)
    corpus.write()
    return corpus.files


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default="/tmp/corpus")
    parser.add_argument("--only", help="part of a name, or a kind")
    parser.add_argument("--no-expected", action="store_true", help="ask no reference decoder")
    args = parser.parse_args()
    print(len(make(args.folder, args.only, not args.no_expected)), "files in", args.folder)
