"""AAC in every wrapping, edit lists, fragments, damaged indexes, other codecs in ISO media."""

import struct

from bytes_of import Atom, adts_frames, atoms, isom, samples_of, with_edits
from sound import by_ffmpeg, fdkaac, ffmpeg, join, quantized, silence, source_of, tone

RATE = 44100
FRAME = 1024
AAC = ("-c:a", "aac", "-aac_pns", "0", "-b:a", "96k")


def m4a(x, rate=RATE, *options):
    """Returns AAC-LC in M4A, the index behind the sound."""
    return ffmpeg(source_of(x, rate), ".m4a", *AAC, *options)


def by(data):
    return by_ffmpeg(data, ".m4a")


def raw(data):
    """Decodes all packets of an M4A, whatever its edit list skips."""
    return by_ffmpeg(data, ".m4a", "-ignore_editlist", "1")


def everything(data):
    """Decodes all packets, whatever edit lists and iTunSMPB skip."""
    return by_ffmpeg(data, ".m4a", "-ignore_editlist", "1", "-flags2", "+skip_manual")


def profiles(corpus):
    """A3: HE-AAC, more than two channels, other profiles; AAC-LC as control."""
    kind = "A3"
    for channels in (1, 2):
        x = tone(4, RATE, channels)
        data = m4a(x)
        corpus.add(f"aac_lc_{channels}.m4a", kind, "control: AAC-LC", data, lambda d=data: by(d), RATE, slack=FRAME)
        adts = ffmpeg(data, ".aac", "-c:a", "copy", before=".m4a")
        corpus.add(f"aac_lc_{channels}.aac", kind, "control: AAC-LC in ADTS", adts,
                   lambda d=adts: by_ffmpeg(d, ".aac"), RATE, slack=FRAME)
        fdk = fdkaac(x, RATE, ".m4a", "-b", "96000")
        corpus.add(f"aac_lc_fdk_{channels}.m4a", kind, "control: AAC-LC by another encoder", fdk,
                   [lambda d=fdk: by(d), lambda d=fdk: everything(d)], RATE, slack=FRAME, tolerance=1e-3)
        fdk = fdkaac(x, RATE, ".aac", "-f", "2", "-b", "96000")
        corpus.add(f"aac_lc_fdk_{channels}.aac", kind, "control: AAC-LC in ADTS by another encoder", fdk,
                   lambda d=fdk: by_ffmpeg(d, ".aac"), RATE, slack=FRAME, tolerance=1e-3)
    for rate in (8000, 16000, 22050, 24000, 32000, 48000, 96000):
        x = tone(3, rate, 1)
        data = m4a(x, rate, "-b:a", "48k")
        corpus.add(f"aac_lc_{rate}.m4a", kind, f"control: AAC-LC at {rate} Hz", data, lambda d=data: by(d), rate, slack=FRAME)
        adts = ffmpeg(data, ".aac", "-c:a", "copy", before=".m4a")
        corpus.add(f"aac_lc_{rate}.aac", kind, f"control: AAC-LC in ADTS at {rate} Hz", adts,
                   lambda d=adts: by_ffmpeg(d, ".aac"), rate, slack=FRAME, damaged=False)
    words = "(?i)HE-AAC|SBR|upper band"
    for profile, name, channels in ((5, "he", 1), (5, "he", 2), (29, "hev2", 2)):
        for rate in (44100, 48000, 32000):
            x = tone(4, rate, channels)
            bits = "32000" if profile == 29 else "48000"
            # A decoder of the lower band gives half the rate; the pitches of `tone` are all in it.
            half = tone(4, rate // 2, channels).mean(axis=1)
            for ending, options, how in ((".m4a", ("-G", "0"), "m4a"), (".m4a", ("-G", "1"), "m4a_edts"), (".aac", ("-f", "2"), "adts"),
                                         (".m4a", ("-s", "2", "--moov-before-mdat"), "m4a_front")):
                if how != "m4a" and rate != 44100 and how != "adts":
                    continue
                data = lambda x=x, rate=rate, e=ending, o=options, p=profile, b=bits: fdkaac(x, rate, e, "-p", p, "-b", b, *o)
                corpus.add(f"aac_{name}_{channels}_{rate}_{how}{ending}", kind,
                           f"HE-AAC v{1 if profile == 5 else 2}, {channels} channels, {rate} Hz, {how}", data,
                           half, rate // 2, damaged=True, slack=4 * 2048, tolerance=None, loose=[(k - .15, k + .4) for k in range(5)],
                           fails="unsupported", words=words)
    # The same sound with the signaling changed: a plain AAC-LC configuration, so that SBR shows only inside the packets.
    x = tone(4, RATE, 2)
    he = fdkaac(x, RATE, ".m4a", "-p", "5", "-b", "48000")
    half = tone(4, RATE // 2, 2).mean(axis=1)
    options = dict(damaged=True, slack=4 * 2048, tolerance=None, loose=[(k - .15, k + .4) for k in range(5)], fails="unsupported", words=words)
    for name, config in (("implicit", asc(2, 7, 2)), ("sync", asc(2, 7, 2) + b"\x56\xe5\xa0"),
                         ("explicit", explicit(5, 7, 2, 4)), ("explicit_ps", explicit(29, 7, 2, 4))):
        corpus.add(f"aac_he_2_{name}.m4a", kind, f"HE-AAC with {name} signaling", with_config(he, config),
                   half, RATE // 2, **options)
    lc = m4a(tone(4, 22050, 2), 22050)
    corpus.add("aac_lc_said_to_be_he.m4a", kind, "AAC-LC whose configuration says SBR, as a silent upper band may be",
               with_config(lc, explicit(5, 7, 2, 4)), lambda: by_ffmpeg(lc, ".m4a"), 22050, damaged=None, slack=4096,
               fails="unsupported", words=words + "|^$")
    corpus.add("aac_lc_backward_compatible.m4a", kind, "AAC-LC with a sync extension that says: no SBR",
               with_config(lc, asc(2, 7, 2) + b"\x56\xe5\x00"), lambda: by_ffmpeg(lc, ".m4a"), 22050, slack=1024, damaged=False)
    for channels in (3, 4, 5, 6, 8):
        x = tone(3, RATE, channels)
        layout = {3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}[channels]
        data = m4a(x, RATE, "-b:a", "256k", "-af", f"aformat=channel_layouts={layout}")
        options = dict(fails="unsupported", words="(?i)AAC.*(channel|5\\.1)|channel.*AAC", damaged=None, slack=3000, tolerance=1e-3)
        corpus.add(f"aac_{channels}ch.m4a", kind, f"AAC-LC, {layout}, M4A", data, lambda d=data: by(d), RATE, **options)
        adts = ffmpeg(data, ".aac", "-c:a", "copy", before=".m4a")
        corpus.add(f"aac_{channels}ch.aac", kind, f"AAC-LC, {layout}, ADTS", adts, lambda d=adts: by_ffmpeg(d, ".aac"), RATE, **options)
    quad = m4a(tone(3, RATE, 4), RATE, "-af", "aformat=channel_layouts=quad", "-b:a", "256k")
    corpus.add("aac_pce_quad.m4a", kind, "AAC-LC whose channels stand in a program config element", quad, lambda: by(quad), RATE,
               fails="unsupported", words="(?i)AAC", damaged=None, slack=3000, tolerance=1e-3)
    for name in ("main", "ltp"):
        for ending in (".m4a", ".aac"):
            data = ffmpeg(source_of(tone(3, RATE, 2), RATE), ending, *AAC, "-profile:a", "aac_" + name, "-strict", "-2")
            corpus.add(f"aac_{name}{ending}", kind, f"AAC {name.upper()}", data, lambda d=data, e=ending: by_ffmpeg(d, e), RATE, damaged=None,
                       fails="unsupported", words="(?i)AAC|^$", slack=3000, tolerance=2e-3)
    for profile, name in ((23, "ld"), (39, "eld")):
        corpus.add(f"aac_{name}.m4a", kind, f"AAC-{name.upper()}", lambda p=profile: fdkaac(tone(3, RATE, 1), RATE, ".m4a", "-p", p, "-b", "64000"),
                   None, fails="unsupported", words="(?i)AAC")
    for fmt, name in ((1, "adif"), (6, "latm"), (10, "loas")):
        corpus.add(f"aac_{name}.aac", "D", f"AAC in {name.upper()}", lambda f=fmt: fdkaac(tone(3, RATE, 1), RATE, ".aac", "-f", f, "-b", "64000"),
                   None, fails=["unsupported", "unknown_format"], words="(?i)AAC|ADIF|LATM|LOAS|known")
    crc = fdkaac(tone(3, RATE, 2), RATE, ".aac", "-f", "2", "-C", "-b", "96000")
    corpus.add("aac_crc.aac", kind, "ADTS with checksums", crc, lambda: by_ffmpeg(crc, ".aac"), RATE, slack=FRAME, tolerance=1e-3)


def asc(kind, rate, channels):
    """Returns an AudioSpecificConfig of 2 bytes."""
    return struct.pack(">H", kind << 11 | rate << 7 | channels << 3)


def explicit(kind, rate, channels, outer):
    """Returns an AudioSpecificConfig that says SBR (5) or PS (29), then AAC-LC."""
    bits = f"{kind:05b}{rate:04b}{channels:04b}{outer:04b}{2:05b}000"
    bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def with_config(data, config):
    """Returns an M4A whose esds has another AudioSpecificConfig."""
    at = data.index(b"esds") + 8
    es = b"\x00\x01\x00"
    decoder = b"\x40\x15\0\0\0" + bytes(8) + b"\5" + bytes([len(config)]) + config
    body = es + b"\4" + bytes([len(decoder)]) + decoder + b"\6\1\2"
    new = b"\3" + bytes([len(body)]) + body
    size = struct.unpack(">I", data[at - 12 : at - 8])[0]
    room = size - 12
    # The old descriptor's room is kept, so that no size above it changes.
    assert len(new) + 2 <= room or len(new) == room, (len(new), room)
    return data[:at] + new + bytes(room - len(new)) + data[at - 12 + size :]


def edits(corpus):
    """B: what players skip must not be read."""
    x = tone(6, RATE, 2)
    whole = m4a(x)
    full = raw(whole)
    second = 1000
    lists = {
        "none": [], "priming": [(6000, 1024)], "priming_2112": [(6000, 2112)], "skip_2s": [(4000, 1024 + 2 * RATE)],
        "cut_end": [(3000, 1024)], "skip_and_cut": [(2000, 1024 + 2 * RATE)], "middle": [(1500, 1024 + RATE * 5 // 2)],
        "empty_first": [(500, -1), (5500, 1024)], "empty_and_skip": [(1000, -1), (3000, 1024 + 2 * RATE)],
        "two": [(2000, 1024), (2000, 1024 + 4 * RATE)], "two_adjacent": [(2000, 1024), (2000, 1024 + 2 * RATE)],
        "swapped": [(2000, 1024 + 3 * RATE), (2000, 1024)], "zero_length": [(0, 1024)], "too_long": [(60000, 1024)],
        "beyond": [(1000, 100 * RATE)], "repeat": [(1000, 1024)] * 3, "three": [(1000, 1024), (1000, 1024 + 2 * RATE), (1000, 1024 + 4 * RATE)],
        "from_0": [(6000, 0)], "odd": [(2345, 1024 + 12345)], "only_empty": [(1000, -1)],
    }

    def played(entries):
        """Returns what the list plays: the truth by the standard."""
        parts = []
        for duration, start in entries:
            n = round(duration * RATE / second)
            if start < 0:
                parts.append(silence(n))
            elif duration == 0:
                parts.append(full[start:])
            else:
                parts.append(full[start : start + n])
        return join(*parts) if parts else full

    for name, entries in lists.items():
        want = played(entries)
        accepts = [want]
        options = dict(damaged=False, slack=FRAME + 100)
        if entries and entries[0][1] == -1 and len(entries) > 1:
            accepts.append(played(entries[1:]))
        if name in ("too_long",):
            options["damaged"] = None
        if name in ("repeat", "swapped", "two", "three", "two_adjacent"):
            # Rare lists: a reader may refuse or note them, but not misplace seconds without a word.
            options["damaged"] = None
            options["fails"] = "unsupported"
        if name in ("beyond", "only_empty"):
            accepts = [full]
            options.update(damaged=None, fails=["empty", "damaged", "unsupported"])
            if name == "beyond":
                accepts.append(full[1024:])
        seams = {"two": [2.0], "swapped": [2.0], "repeat": [1, 2], "three": [1, 2], "empty_first": [0.5, 0], "empty_and_skip": [1.0, 0]}.get(name, [])
        corpus.add(f"edit_{name}.m4a", "B-edit-list", f"edit list of {entries}", with_edits(whole, *entries), accepts, RATE,
                   tolerance=1e-3,
                   loose=[(0, 0.06)] + [(s - 0.05, s + 0.05) for s in seams], **options)
    front = ffmpeg(with_edits(whole, (4000, 1024 + 2 * RATE)), ".m4a", "-c:a", "copy", "-movflags", "+faststart", before=".m4a")
    corpus.add("edit_skip_by_ffmpeg.m4a", "B-edit-list", "an edit list that ffmpeg copied, the index in front", front, lambda: by(front), RATE,
               damaged=None, slack=2 * FRAME, loose=[(0, 0.06)], tolerance=1e-3)
    for seek in ("0.5", "2", "3.3"):
        cut = ffmpeg(whole, ".m4a", "-ss", seek, "-c:a", "copy", before=".m4a")
        corpus.add(f"edit_cut_at_{seek}.m4a", "B-edit-list", f"cut at {seek} s without encoding anew", cut, lambda d=cut: by(d), RATE,
                   damaged=None, slack=3 * FRAME, loose=[(0, 0.06)], tolerance=1e-3)
    v1 = atoms(whole)
    trak = v1.find(b"moov", b"trak")
    trak.children = [c for c in trak.children if c.name != b"edts"]
    body = struct.pack(">IIQqI", 1 << 24, 1, 4000, 1024 + 2 * RATE, 0x10000)
    trak.children.insert(1, Atom(b"edts", b"", [Atom(b"elst", body)]))
    corpus.add("edit_version_1.m4a", "B-edit-list", "an edit list with 64-bit fields", isom(v1), full[1024 + 2 * RATE : 1024 + 6 * RATE], RATE,
               slack=FRAME + 100, loose=[(0, 0.06)], tolerance=1e-3)
    alac = ffmpeg(source_of(x, RATE), ".m4a", "-c:a", "alac")
    want = quantized(x)
    corpus.add("edit_alac_skip_2s.m4a", "B-edit-list", "ALAC, 2 s skipped", with_edits(alac, (4000, 2 * RATE)), want[2 * RATE :], RATE,
               slack=100, tolerance=1e-5)
    corpus.add("edit_alac_cut_end.m4a", "B-edit-list", "ALAC, the end cut", with_edits(alac, (3000, 0)), want[: 3 * RATE], RATE, slack=100, tolerance=1e-5)
    for gapless in ("0", "1", "2"):
        data = fdkaac(x, RATE, ".m4a", "-b", "96000", "-G", gapless)
        corpus.add(f"gapless_{gapless}.m4a", "B-edit-list", f"encoder delay in {['iTunSMPB', 'an edit list', 'both'][int(gapless)]}", data,
                   [lambda d=data: by(d), lambda d=data: everything(d)] if gapless == "0" else lambda d=data: by(d), RATE, damaged=None if gapless == "0" else False,
                   slack=2 * FRAME, loose=[(0, 0.06)], tolerance=1e-3)


def wrappings(corpus):
    """B: fragments, index in front or behind, other tracks, other codecs."""
    kind = "B-mp4"
    x = tone(4, RATE, 2)
    whole = m4a(x)
    options = dict(slack=2 * FRAME, tolerance=1e-3)

    def copy(ending, *flags):
        return ffmpeg(whole, ending, "-c:a", "copy", *flags, before=".m4a")

    made = {
        "front.m4a": copy(".m4a", "-movflags", "+faststart"), "behind.m4a": whole,
        "fragments.mp4": copy(".mp4", "-movflags", "+frag_keyframe+empty_moov"),
        "fragments_1s.mp4": copy(".mp4", "-movflags", "+empty_moov+default_base_moof", "-frag_duration", "1000000"),
        "fragments_dash.mp4": copy(".mp4", "-movflags", "+dash+global_sidx", "-frag_duration", "500000"),
        "fragments_delay.mp4": copy(".mp4", "-movflags", "+frag_every_frame+delay_moov"),
        "quicktime.mov": copy(".mov"), "three_gp.3gp": copy(".3gp"), "audiobook.m4b": copy(".m4b", "-f", "ipod"),
    }
    for name, data in made.items():
        ending = name[name.index(".") :]
        corpus.add(f"mp4_{name}", kind, f"AAC, {name}", data, [lambda d=data, e=ending: by_ffmpeg(d, e), lambda: raw(whole)], RATE, damaged=None if "fragments" in name else False, **options)
    source = source_of(x, RATE)
    for name, codec, ending, rate, want in (
        ("alac", ("-c:a", "alac"), ".m4a", RATE, quantized(x)), ("flac", ("-c:a", "flac", "-strict", "-2"), ".mp4", RATE, quantized(x)),
        ("alac_24", ("-c:a", "alac", "-sample_fmt", "s32p"), ".m4a", RATE, quantized(x)),
        ("opus", ("-c:a", "libopus", "-ar", "48000", "-strict", "-2"), ".mp4", 48000, None),
        ("mp3", ("-c:a", "libmp3lame"), ".mp4", RATE, None), ("ac3", ("-c:a", "ac3"), ".mp4", RATE, None),
        ("mp2", ("-c:a", "mp2"), ".mp4", RATE, None), ("vorbis", ("-c:a", "libvorbis", "-strict", "-2"), ".mp4", RATE, None)):
        data = ffmpeg(source, ending, *codec)
        corpus.add(f"mp4_{name}{ending}", kind, f"{name} in MP4", data, want if want is not None else (lambda d=data, e=ending: by_ffmpeg(d, e)), rate,
                   damaged=None if want is None else False, slack=3000 if want is None else 0, tolerance=5e-3 if want is None else 1e-5,
                   loose=[(0, 0.1)] if want is None else (), fails="unsupported" if name not in ("alac", "alac_24", "opus") else (),
                   words={"ac3": "(?i)ac-?3|dolby", "mp2": "(?i)mp2|layer|mpeg|^$", "vorbis": "(?i)vorbis|^$", "flac": "(?i)flac|^$"}.get(name, ""))
    frag = ffmpeg(source, ".mp4", "-c:a", "flac", "-strict", "-2", "-movflags", "+frag_keyframe+empty_moov", "-frag_duration", "500000")
    corpus.add("mp4_flac_fragments.mp4", kind, "FLAC in fragments", frag, quantized(x), RATE, tolerance=1e-5, fails="unsupported")
    video = ffmpeg(source, ".mp4", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=4", "-map", "1:v", "-map", "0:a", "-c:v", "mpeg4", *AAC)
    corpus.add("mp4_video_first.mp4", kind, "a video track before the sound", video, lambda: by(video), RATE, **options)
    silent = ffmpeg(source, ".mp4", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=2", "-map", "1:v", "-c:v", "mpeg4")
    corpus.add("mp4_video_only.mp4", "D", "video without sound", silent, fails="no_audio_track")
    chapters = (b";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\ntitle=one\n"
                b"[CHAPTER]\nTIMEBASE=1/1000\nSTART=2000\nEND=4000\ntitle=two\n")
    open("/tmp/reference_chapters.txt", "wb").write(chapters)
    book = ffmpeg(whole, ".m4b", "-i", "/tmp/reference_chapters.txt", "-map_metadata", "1", "-map", "0:a", "-c:a", "copy", "-f", "ipod", before=".m4a")
    corpus.add("mp4_chapters.m4b", kind, "a chapter track", book, lambda: by(book), RATE, **options)
    for name, end in {"zeros": bytes(3000), "junk": b"\x55" * 3000, "id3v1": b"TAG" + bytes(125), "free": struct.pack(">I4s", 16, b"free") + bytes(8)}.items():
        corpus.add(f"mp4_then_{name}.m4a", kind, f"behind the index: {name}", whole + end, lambda: by(whole), RATE, damaged=None, **options)


def damage(corpus):
    """C: bad packets, an index that points beyond the file, a cut file, no index."""
    kind = "C-m4a"
    x = tone(6, RATE, 2)
    whole = m4a(x)
    full, want = raw(whole), by(whole)
    places = samples_of(whole)
    prime = len(full) - len(want) if len(full) - len(want) in (1024,) else 1024
    for count in (1, 2, 50, 99, 100, 101, 150):
        for name, byte in (("ff", b"\xff"), ("zero", b"\0"), ("junk", b"\x5a")):
            data = bytearray(whole)
            for at, size in places[40 : 40 + count]:
                data[at : at + size] = byte * size
            s, e = 40 * FRAME - prime, (40 + count) * FRAME - prime
            corpus.add(f"m4a_{count}_bad_{name}.m4a", "C-packets", f"{count} packets overwritten with {name}", bytes(data),
                       want, RATE, damaged=True, slack=FRAME, tolerance=1e-3, loose=[(s / RATE - 0.05, e / RATE + 0.1)])
    alac = ffmpeg(source_of(x, RATE), ".m4a", "-c:a", "alac")
    spots, exact = samples_of(alac), quantized(x)
    for count in (1, 20):
        data = bytearray(alac)
        for at, size in spots[20 : 20 + count]:
            data[at : at + size] = b"\xff" * size
        corpus.add(f"alac_{count}_bad.m4a", "C-packets", f"{count} ALAC packets overwritten", bytes(data), exact, RATE, damaged=True,
                   tolerance=1e-4, loose=[(20 * 4096 / RATE - 0.01, (20 + count) * 4096 / RATE + 0.01)])
    moov = whole.index(b"moov") - 4
    faststart = ffmpeg(whole, ".m4a", "-c:a", "copy", "-movflags", "+faststart", before=".m4a")
    front_places = samples_of(faststart)
    for share in (2, 3, 10):
        cut = front_places[len(front_places) * (share - 1) // share][0] + 20
        n = len([1 for at, size in front_places if at + size <= cut])
        corpus.add(f"m4a_cut_1_{share}.m4a", kind, f"index in front, the last 1/{share} is gone", faststart[:cut],
                   full[prime : n * FRAME], RATE, damaged=True, slack=2 * FRAME, tolerance=1e-3)
    for name, data in (("behind", whole[:moov]), ("half", whole[: moov // 2]), ("moov_cut", whole[: moov + 200])):
        corpus.add(f"m4a_no_index_{name}.m4a", kind, f"no index: {name}", data, None, fails=["damaged"], words="(?i)moov|index|cut|incomplete")
    mdat_first = whole[whole.index(b"mdat") - 4 : moov]
    corpus.add("m4a_mdat_first.m4a", kind, "mdat first, no index", mdat_first, None, fails=["damaged"], words="(?i)moov|index|cut|incomplete")
    corpus.add("m4a_ftyp_only.m4a", kind, "ftyp alone", whole[: struct.unpack(">I", whole[:4])[0]], None, fails=["damaged", "empty"],
               words="(?i)moov|index|cut|incomplete|no audio")
    frag = ffmpeg(whole, ".mp4", "-c:a", "copy", "-movflags", "+empty_moov+default_base_moof", "-frag_duration", "1000000", before=".m4a")
    cut = frag[: len(frag) * 2 // 3]
    corpus.add("m4a_fragments_cut.mp4", kind, "fragments, the last third is gone", cut, lambda: by_ffmpeg(cut, ".mp4"), RATE, damaged=True,
               slack=RATE + 4 * FRAME, tolerance=1e-3)
    moofs = [m for m in find_all(frag, b"moof")]
    if len(moofs) > 3:
        a, b = moofs[2] - 4, moofs[3] - 4
        corpus.add("m4a_fragment_lost.mp4", kind, "one fragment is lost", frag[:a] + frag[b:], want, RATE, damaged=True, slack=2 * FRAME,
                   tolerance=1e-3, loose=[(1.8, 3.2)])
    root = atoms(whole)
    table = root.find(b"moov", b"trak", b"mdia", b"minf", b"stbl")
    stco = table.find(b"stco")
    chunks = list(struct.unpack(f">{(len(stco.body) - 8) // 4}I", stco.body[8:]))

    def with_chunks(values):
        stco.body = stco.body[:8] + struct.pack(f">{len(values)}I", *values)
        return isom(root)

    if len(chunks) > 4:
        half = len(chunks) // 2
        beyond = with_chunks(chunks[:half] + [c + 0x10000000 for c in chunks[half:]])
        per = sum(1 for at, _ in places if at < chunks[half])
        corpus.add("m4a_index_beyond_half.m4a", kind, "the second half of the index points beyond the file", beyond,
                   [full[prime : per * FRAME], join(full[prime : per * FRAME], silence(len(want) - per * FRAME + prime))], RATE, damaged=True, slack=3 * FRAME, tolerance=1e-3)
        one = with_chunks(chunks[:half] + [0x10000000] + chunks[half + 1 :])
        a = sum(1 for at, _ in places if at < chunks[half])
        b = sum(1 for at, _ in places if at < chunks[half + 1])
        corpus.add("m4a_index_beyond_one.m4a", kind, "one chunk of the index points beyond the file", one, want, RATE, damaged=True,
                   slack=3 * FRAME, tolerance=1e-3, loose=[((a * FRAME - prime) / RATE - 0.05, (b * FRAME - prime) / RATE + 0.1)])
        corpus.add("m4a_index_beyond_all.m4a", kind, "the whole index points beyond the file", with_chunks([c + 0x10000000 for c in chunks]), None,
                   fails=["damaged"])
        with_chunks(chunks)
    adts = ffmpeg(whole, ".aac", "-c:a", "copy", before=".m4a")
    frames = adts_frames(adts)
    got = by_ffmpeg(adts, ".aac")
    for count in (1, 30, 120):
        a, b = frames[60][0], frames[60 + count][0]
        s, n = 60 * FRAME, count * FRAME
        corpus.add(f"adts_cut_{count}.aac", "B-adts-hole", f"{count} frames cut out", adts[:a] + adts[b:], join(got[:s], got[s + n :]), RATE,
                   damaged=None, slack=2 * FRAME, tolerance=1e-3, loose=[(s / RATE - 0.1, s / RATE + 0.1)])
        filled = join(got[:s], silence(n), got[s + n :])
        for junk, body in (("zeros", bytes(b - a)), ("junk", bytes((k * k >> 3) * 31 & 127 for k in range(b - a)))):
            corpus.add(f"adts_{junk}_{count}.aac", "B-adts-hole", f"{junk} in place of {count} frames", adts[:a] + body + adts[b:],
                       [filled, join(got[:s], got[s + n :])], RATE, damaged=True, slack=4 * FRAME, tolerance=None, loose=[(s / RATE - 0.1, (s + n) / RATE + 0.4)])
        bad = bytearray(adts)
        for at, size in frames[60 : 60 + count]:
            bad[at + 7 : at + size] = b"\xff" * (size - 7)
        corpus.add(f"adts_{count}_bad.aac", "C-packets", f"{count} ADTS frames overwritten", bytes(bad), got, RATE, damaged=True, slack=2 * FRAME,
                   tolerance=1e-3, loose=[(s / RATE - 0.05, (s + n) / RATE + 0.1)])
    corpus.add("adts_cut_end.aac", "B-adts-hole", "cut off in a frame", adts[: frames[-20][0] + 50], got[: (len(frames) - 20) * FRAME], RATE, damaged=None,
               slack=2 * FRAME, tolerance=1e-3)
    mono = ffmpeg(m4a(tone(3, RATE, 1, 6)), ".aac", "-c:a", "copy", before=".m4a")
    corpus.add("adts_stereo_mono.aac", "B-adts-hole", "stereo, then mono", adts + mono, [join(got, by_ffmpeg(mono, ".aac")), got], RATE, damaged=None,
               slack=3 * FRAME, tolerance=1e-3, loose=[(5.9, 6.2)])
    other = ffmpeg(m4a(tone(3, 22050, 2, 6), 22050), ".aac", "-c:a", "copy", before=".m4a")
    corpus.add("adts_rate.aac", "B-adts-hole", "44100 Hz, then 22050 Hz", adts + other, [join(got, tone(3, RATE, 2, 6).mean(axis=1)), got], RATE, damaged=None,
               slack=6 * FRAME, tolerance=None, loose=[(k - 0.1, k + 0.2) for k in range(6, 10)])
    for size in (100 << 10,):
        corpus.add(f"adts_behind_{size}.aac", "C-m4a", f"{size} zeros before ADTS", bytes(size) + adts, got, RATE, damaged=None, slack=FRAME, tolerance=1e-3)


def find_all(data, name):
    at = data.find(name)
    while at >= 0:
        yield at
        at = data.find(name, at + 1)
