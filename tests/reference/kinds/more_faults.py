"""AIFF with odd chunks, ISO media with odd boxes, Ogg with large comments, MP3 without its start."""

import struct

from bytes_of import Atom, atoms, isom, mp3_frames, ogg, packets, page_of, pages
from kinds.aac import by, m4a
from kinds.mp3_lengths import by as by_mp3
from kinds.pcm import ten_bytes
from sound import by_oggdec, by_opusdec, int_bytes, lame, oggenc, opusenc, quantized, tone

RATE = 22050


def broken_aiff(corpus):
    """C: AIFF whose chunks are in another order, of wrong size, or foreign."""
    x = tone(2, RATE, 1)
    want, body = quantized(x), int_bytes(x, 16, big=True)
    comm = struct.pack(">hIh", 1, len(x), 16) + ten_bytes(RATE)

    def chunk(name, data, size=None, padded=True):
        size = len(data) if size is None else size
        return name + struct.pack(">I", size) + data + b"\0" * (len(data) % 2 if padded else 0)

    def form(*chunks, size=None):
        inside = b"AIFF" + b"".join(chunks)
        return b"FORM" + struct.pack(">I", len(inside) if size is None else size) + inside

    head, sound = chunk(b"COMM", comm), chunk(b"SSND", bytes(8) + body)
    shifted = chunk(b"SSND", struct.pack(">II", 6, 0) + b"\x55" * 6 + body)
    fewer = chunk(b"COMM", struct.pack(">hIh", 1, 0, 16) + ten_bytes(RATE))
    more = chunk(b"COMM", struct.pack(">hIh", 1, 2 * len(x), 16) + ten_bytes(RATE))
    long = chunk(b"COMM", comm + bytes(6))
    files = {
        "sound_first": (form(sound, head), {}),
        "offset": (form(head, shifted), {}),
        "form_size_0": (form(head, sound, size=0), {}),
        "form_size_max": (form(head, sound, size=0xFFFFFFFF), {}),
        "sound_size_0": (form(head, chunk(b"SSND", bytes(8) + body, size=0)), {"damaged": None}),
        "sound_size_max": (
            form(head, chunk(b"SSND", bytes(8) + body, 0xFFFFFFFF)),
            {"damaged": None},
        ),
        "frames_0": (form(fewer, sound), {"damaged": None}),
        "frames_twice": (form(more, sound), {"damaged": None}),
        "comm_long": (form(long, sound), {}),
        "id3": (form(head, chunk(b"ID3 ", b"ID3\4\0\0\0\0\0\0"), sound), {}),
        "odd_padded": (form(head, chunk(b"NAME", b"abc"), sound), {}),
        "odd_unpadded": (form(head, chunk(b"NAME", b"abc", padded=False), sound), {}),
        "unknown": (form(chunk(b"wxyz", bytes(100)), head, sound), {}),
        "behind": (form(head, sound, chunk(b"ANNO", b"a note")), {}),
        "behind_long": (form(head, sound) + b"ANNO\0\xff\xff\xffabc", {}),
        "garbage": (form(head, sound) + b"\x55" * 301, {}),
    }
    for name, (data, options) in files.items():
        odd = f"AIFF: {name.replace('_', ' ')}"
        corpus.add(f"aiff_{name}.aiff", "C-aiff", odd, data, want, RATE, tolerance=1e-5, **options)
    for name, data in {
        "no_comm": form(sound),
        "no_sound": form(head),
        "cut": form(head)[:30],
    }.items():
        corpus.add(
            f"aiff_{name}.aiff", "C-aiff", f"AIFF: {name}", data, None, fails=["damaged", "empty"]
        )


def odd_boxes(corpus):
    """C: ISO media whose boxes have other sizes and orders than usual."""
    whole = m4a(tone(3, 44100, 2))
    root = atoms(whole)
    names = [a.name for a in root.children]
    at = sum(len(a.bytes()) for a in root.children[: names.index(b"mdat")])
    mdat = root.children[names.index(b"mdat")].bytes()
    rest = whole[at + len(mdat) :]

    def moved(by_bytes, wide=False):
        """Returns `moov` for sound that lies some bytes further on, with 64-bit offsets if wide."""
        tree = atoms(rest)
        table = tree.find(b"moov", b"trak", b"mdia", b"minf", b"stbl")
        stco = table.find(b"stco")
        chunks = struct.unpack(f">{(len(stco.body) - 8) // 4}I", stco.body[8:])
        code, name = (">%dQ", b"co64") if wide else (">%dI", b"stco")
        body = stco.body[:8] + struct.pack(code % len(chunks), *[c + by_bytes for c in chunks])
        table.children[table.children.index(stco)] = Atom(name, body)
        return isom(tree)

    large = struct.pack(">I4sQ", 1, b"mdat", len(mdat) + 8) + mdat[8:]
    free = struct.pack(">I4s", 5000, b"free") + bytes(4992)
    moov = len(moved(0))
    files = {
        "co64": whole[: at + len(mdat)] + moved(0, wide=True),
        "mdat_64": whole[:at] + large + moved(8),
        "mdat_to_end": whole[:at] + moved(moov) + struct.pack(">I", 0) + mdat[4:],
        "free_first": whole[:at] + free + mdat + moved(5000),
        "no_ftyp": mdat + moved(-at),
        "moov_first": moved(moov - at) + mdat,
        "two_moov": whole + moved(0),
        "unknown_box": whole[:at] + b"\0\0\0\x10wxyz" + bytes(8) + mdat + moved(16),
        "uuid": whole[:at] + b"\0\0\0\x20uuid" + bytes(24) + mdat + moved(32),
        "box_beyond": whole + b"\x7f\0\0\0skip",
        "box_of_4": whole + b"\0\0\0\4skip",
    }
    for name, data in files.items():
        damaged = None if name.startswith("box") else False
        odd = f"M4A: {name.replace('_', ' ')}"
        corpus.add(
            f"m4a_{name}.m4a",
            "C-m4a",
            odd,
            data,
            lambda: by(whole),
            tolerance=1e-3,
            slack=2048,
            damaged=damaged,
        )


def large_comments(corpus):
    """C: Ogg whose comments fill many pages, are empty, or are broken."""
    voice = oggenc(tone(3, 44100, 2), 44100, "-q", "3")
    speech = opusenc(tone(3, 48000, 1), 48000, "--bitrate", "48")
    for name, whole, decode, rate, magic in (
        ("vorbis", voice, by_oggdec, 44100, b"\x03vorbis"),
        ("opus", speech, by_opusdec, 48000, b"OpusTags"),
    ):
        parts = pages(whole)
        heads = [p for p in parts if p.granule <= 0]
        found = packets(heads)
        setup = found[2:]
        tail = b"\1" if name == "vorbis" else b""

        def comment(entries, count=None, vendor=b"by hand", magic=magic, tail=tail):
            body = magic + struct.pack("<I", len(vendor)) + vendor
            body += struct.pack("<I", len(entries) if count is None else count)
            return body + b"".join(struct.pack("<I", len(e)) + e for e in entries) + tail

        def rebuilt(packet, heads=heads, setup=setup, parts=parts):
            """Returns the file with another comment, over as many pages as it takes."""
            out, number, part = [heads[0]], 1, packet
            while len(part) > 255 * 255:
                page = page_of([], 0, number, 1 if number > 1 else 0, heads[0].serial)
                page.lacing, page.body, page.granule = b"\xff" * 255, part[: 255 * 255], -1
                out.append(page)
                part, number = part[255 * 255 :], number + 1
            flags = 1 if number > 1 else 0
            out.append(page_of([part, *setup], 0, number, flags, heads[0].serial))
            shift = number + 1 - len(heads)
            for p in parts[len(heads) :]:
                later = page_of([], p.granule, p.number + shift, p.flags, p.serial)
                later.lacing, later.body = p.lacing, p.body
                out.append(later)
            return ogg(out)

        picture = b"METADATA_BLOCK_PICTURE=" + b"A" * 400_000
        files = {
            "picture": (comment([picture]), False),
            "many": (comment([b"A=b"] * 5000), False),
            "none": (comment([]), False),
            "not_utf8": (comment([b"TITLE=\xff\xfe"]), False),
            "no_equals": (comment([b"TITLE"]), False),
            "count_long": (comment([b"A=b"], count=0x7FFFFFFF), None),
            "entry_long": (
                comment([])[: -1 - len(tail) or None] + b"\1\0\0\0\xff\xff\xff\x7fA=b",
                None,
            ),
            "vendor_long": (magic + b"\xff\xff\xff\x7fabc", None),
        }
        for fault, (packet, damaged) in files.items():
            corpus.add(
                f"{name}_comment_{fault}.ogg",
                "C-ogg",
                f"{name}: comment: {fault}",
                rebuilt(packet),
                lambda d=decode, w=whole: d(w),
                rate,
                tolerance=2e-3,
                slack=64,
                damaged=damaged,
            )


def without_start(corpus):
    """B: MP3 cut out of a stream: its first frames refer to bytes that are gone."""
    x = tone(5, 44100, 2)
    for options, what in ((("-b", "64"), "cbr"), (("-V", "5"), "vbr")):
        whole = lame(x, 44100, "-t", *options)
        frames = mp3_frames(whole)
        for first, inside in ((10, 0), (50, 0), (50, 7), (50, 100)):
            data = whole[frames[first][0] + inside :]
            corpus.add(
                f"mp3_from_{first}_{inside}_{what}.mp3",
                "B-mp3-hole",
                f"starts {inside} bytes into frame {first}",
                data,
                lambda d=data: by_mp3(d),
                slack=3 * 1152,
                damaged=None,
                tolerance=None,
            )
