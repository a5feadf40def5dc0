"""Makes the files that `compare.py` decodes.

    make_files.py [--only NAME_OR_KIND] [--no-expected] [FOLDER]
"""

import argparse
import sys

from corpus import Corpus
import kinds_flac
import kinds_mp4
import kinds_mpeg
import kinds_ogg
import kinds_pcm
import kinds_words

KINDS = [kinds_pcm.quicktime, kinds_pcm.formats, kinds_pcm.broken_wav,
         kinds_mpeg.counts, kinds_mpeg.joined, kinds_mpeg.changes, kinds_mpeg.holes,
         kinds_mpeg.fronts, kinds_mpeg.layers,
         kinds_flac.headers, kinds_flac.holes, kinds_flac.changes,
         kinds_ogg.channels, kinds_ogg.faults, kinds_ogg.chained, kinds_ogg.multiplexed, kinds_ogg.opus,
         kinds_mp4.profiles, kinds_mp4.edits, kinds_mp4.wrappings, kinds_mp4.damage,
         kinds_words.unsupported, kinds_words.not_audio, kinds_words.extremes]


def make(folder, only=None, expected=True):
    """Makes the files and their manifest, and returns the manifest."""
    corpus = Corpus(folder, only, expected)
    for kind in KINDS:
        kind(corpus)
    corpus.write()
    return corpus.files


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default="/tmp/corpus")
    parser.add_argument("--only")
    parser.add_argument("--no-expected", action="store_true")
    args = parser.parse_args()
    files = make(args.folder, args.only, not args.no_expected)
    print(len(files), "files in", args.folder)
    sys.exit(0)
