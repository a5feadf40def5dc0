"""AAC of all profiles, wrappings and numbers of channels."""

import struct

from sound import by_ffmpeg, fdkaac, ffmpeg, source_of, tone

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
        corpus.add(
            f"aac_lc_{channels}.m4a",
            kind,
            "control: AAC-LC",
            data,
            lambda d=data: by(d),
            RATE,
            slack=FRAME,
        )
        adts = ffmpeg(data, ".aac", "-c:a", "copy", before=".m4a")
        corpus.add(
            f"aac_lc_{channels}.aac",
            kind,
            "control: AAC-LC in ADTS",
            adts,
            lambda d=adts: by_ffmpeg(d, ".aac"),
            RATE,
            slack=FRAME,
        )
        fdk = fdkaac(x, RATE, ".m4a", "-b", "96000")
        corpus.add(
            f"aac_lc_fdk_{channels}.m4a",
            kind,
            "control: AAC-LC by another encoder",
            fdk,
            [lambda d=fdk: by(d), lambda d=fdk: everything(d)],
            RATE,
            slack=FRAME,
            tolerance=1e-3,
        )
        fdk = fdkaac(x, RATE, ".aac", "-f", "2", "-b", "96000")
        corpus.add(
            f"aac_lc_fdk_{channels}.aac",
            kind,
            "control: AAC-LC in ADTS by another encoder",
            fdk,
            lambda d=fdk: by_ffmpeg(d, ".aac"),
            RATE,
            slack=FRAME,
            tolerance=1e-3,
        )
    for rate in (8000, 16000, 22050, 24000, 32000, 48000, 96000):
        x = tone(3, rate, 1)
        data = m4a(x, rate, "-b:a", "48k")
        corpus.add(
            f"aac_lc_{rate}.m4a",
            kind,
            f"control: AAC-LC at {rate} Hz",
            data,
            lambda d=data: by(d),
            rate,
            slack=FRAME,
        )
        adts = ffmpeg(data, ".aac", "-c:a", "copy", before=".m4a")
        corpus.add(
            f"aac_lc_{rate}.aac",
            kind,
            f"control: AAC-LC in ADTS at {rate} Hz",
            adts,
            lambda d=adts: by_ffmpeg(d, ".aac"),
            rate,
            slack=FRAME,
            damaged=False,
        )
    words = "(?i)HE-AAC|SBR|upper band"
    for profile, name, channels in ((5, "he", 1), (5, "he", 2), (29, "hev2", 2)):
        for rate in (44100, 48000, 32000):
            x = tone(4, rate, channels)
            bits = "32000" if profile == 29 else "48000"
            # A decoder of the lower band gives half the rate; the pitches of `tone` are all in it.
            half = tone(4, rate // 2, channels).mean(axis=1)
            for ending, options, how in (
                (".m4a", ("-G", "0"), "m4a"),
                (".m4a", ("-G", "1"), "m4a_edts"),
                (".aac", ("-f", "2"), "adts"),
                (".m4a", ("-s", "2", "--moov-before-mdat"), "m4a_front"),
            ):
                if how != "m4a" and rate != 44100 and how != "adts":
                    continue
                data = lambda x=x, rate=rate, e=ending, o=options, p=profile, b=bits: fdkaac(
                    x, rate, e, "-p", p, "-b", b, *o
                )
                corpus.add(
                    f"aac_{name}_{channels}_{rate}_{how}{ending}",
                    kind,
                    f"HE-AAC v{1 if profile == 5 else 2}, {channels} channels, {rate} Hz, {how}",
                    data,
                    half,
                    rate // 2,
                    damaged=True,
                    slack=4 * 2048,
                    tolerance=None,
                    loose=[(k - 0.15, k + 0.4) for k in range(5)],
                    fails="unsupported",
                    words=words,
                )
    # The same packets under other configurations: of plain AAC-LC, SBR shows only inside them.
    x = tone(4, RATE, 2)
    he = fdkaac(x, RATE, ".m4a", "-p", "5", "-b", "48000")
    half = tone(4, RATE // 2, 2).mean(axis=1)
    options = dict(
        damaged=True,
        slack=4 * 2048,
        tolerance=None,
        loose=[(k - 0.15, k + 0.4) for k in range(5)],
        fails="unsupported",
        words=words,
    )
    for name, config in (
        ("implicit", asc(2, 7, 2)),
        ("sync", asc(2, 7, 2) + b"\x56\xe5\xa0"),
        ("explicit", explicit(5, 7, 2, 4)),
        ("explicit_ps", explicit(29, 7, 2, 4)),
    ):
        corpus.add(
            f"aac_he_2_{name}.m4a",
            kind,
            f"HE-AAC with {name} signaling",
            with_config(he, config),
            half,
            RATE // 2,
            **options,
        )
    lc = m4a(tone(4, 22050, 2), 22050)
    corpus.add(
        "aac_lc_said_to_be_he.m4a",
        kind,
        "AAC-LC whose configuration says SBR, as a silent upper band may be",
        with_config(lc, explicit(5, 7, 2, 4)),
        lambda: by_ffmpeg(lc, ".m4a"),
        22050,
        damaged=None,
        slack=4096,
        fails="unsupported",
        words=words + "|^$",
    )
    corpus.add(
        "aac_lc_backward_compatible.m4a",
        kind,
        "AAC-LC with a sync extension that says: no SBR",
        with_config(lc, asc(2, 7, 2) + b"\x56\xe5\x00"),
        lambda: by_ffmpeg(lc, ".m4a"),
        22050,
        slack=1024,
        damaged=False,
    )
    for channels in (3, 4, 5, 6, 8):
        x = tone(3, RATE, channels)
        layout = {3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}[channels]
        data = m4a(x, RATE, "-b:a", "256k", "-af", f"aformat=channel_layouts={layout}")
        options = dict(
            fails="unsupported",
            words="(?i)AAC.*(channel|5\\.1)|channel.*AAC",
            damaged=None,
            slack=3000,
            tolerance=1e-3,
        )
        corpus.add(
            f"aac_{channels}ch.m4a",
            kind,
            f"AAC-LC, {layout}, M4A",
            data,
            lambda d=data: by(d),
            RATE,
            **options,
        )
        adts = ffmpeg(data, ".aac", "-c:a", "copy", before=".m4a")
        corpus.add(
            f"aac_{channels}ch.aac",
            kind,
            f"AAC-LC, {layout}, ADTS",
            adts,
            lambda d=adts: by_ffmpeg(d, ".aac"),
            RATE,
            **options,
        )
    quad = m4a(tone(3, RATE, 4), RATE, "-af", "aformat=channel_layouts=quad", "-b:a", "256k")
    corpus.add(
        "aac_pce_quad.m4a",
        kind,
        "AAC-LC whose channels stand in a program config element",
        quad,
        lambda: by(quad),
        RATE,
        fails="unsupported",
        words="(?i)AAC",
        damaged=None,
        slack=3000,
        tolerance=1e-3,
    )
    for name in ("main", "ltp"):
        for ending in (".m4a", ".aac"):
            data = ffmpeg(
                source_of(tone(3, RATE, 2), RATE),
                ending,
                *AAC,
                "-profile:a",
                "aac_" + name,
                "-strict",
                "-2",
            )
            corpus.add(
                f"aac_{name}{ending}",
                kind,
                f"AAC {name.upper()}",
                data,
                lambda d=data, e=ending: by_ffmpeg(d, e),
                RATE,
                damaged=None,
                fails="unsupported",
                words="(?i)AAC|^$",
                slack=3000,
                tolerance=2e-3,
            )
    for profile, name in ((23, "ld"), (39, "eld")):
        corpus.add(
            f"aac_{name}.m4a",
            kind,
            f"AAC-{name.upper()}",
            lambda p=profile: fdkaac(tone(3, RATE, 1), RATE, ".m4a", "-p", p, "-b", "64000"),
            None,
            fails="unsupported",
            words="(?i)AAC",
        )
    for fmt, name in ((1, "adif"), (6, "latm"), (10, "loas")):
        corpus.add(
            f"aac_{name}.aac",
            "D",
            f"AAC in {name.upper()}",
            lambda f=fmt: fdkaac(tone(3, RATE, 1), RATE, ".aac", "-f", f, "-b", "64000"),
            None,
            fails=["unsupported", "unknown_format"],
            words="(?i)AAC|ADIF|LATM|LOAS|known",
        )
    crc = fdkaac(tone(3, RATE, 2), RATE, ".aac", "-f", "2", "-C", "-b", "96000")
    corpus.add(
        "aac_crc.aac",
        kind,
        "ADTS with checksums",
        crc,
        lambda: by_ffmpeg(crc, ".aac"),
        RATE,
        slack=FRAME,
        tolerance=1e-3,
    )


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
