"""Takes files apart and puts them together wrongly: Ogg pages, MPEG frames, FLAC frames, atoms."""

import struct
from dataclasses import dataclass, field, replace


def zeroed(data, start, end):
    """Returns `data` with zeros from `start` to `end`."""
    return data[:start] + bytes(end - start) + data[end:]


def flipped(data, at):
    """Returns `data` with every bit of one byte flipped."""
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


# Ogg


def crc32_ogg(data):
    """Returns the checksum of an Ogg page whose own field is zero."""
    crc = 0
    for byte in data:
        crc = (crc << 8) & 0xFFFFFFFF ^ OGG_TABLE[(crc >> 24) ^ byte]
    return crc


def _table(poly, bits):
    top, mask = 1 << (bits - 1), (1 << bits) - 1
    table = []
    for n in range(256):
        r = n << (bits - 8)
        for _ in range(8):
            r = ((r << 1) ^ poly) & mask if r & top else (r << 1) & mask
        table.append(r)
    return table


OGG_TABLE = _table(0x04C11DB7, 32)
CRC8 = _table(0x07, 8)
CRC16 = _table(0x8005, 16)


@dataclass
class Page:
    """One Ogg page."""

    flags: int
    granule: int
    serial: int
    number: int
    lacing: bytes
    body: bytes
    bad_crc: bool = False

    def bytes(self):
        head = b"OggS\0" + struct.pack("<BqII", self.flags, self.granule, self.serial, self.number)
        tail = bytes([len(self.lacing)]) + self.lacing + self.body
        crc = crc32_ogg(head + bytes(4) + tail) ^ (0x5A5A5A5A if self.bad_crc else 0)
        return head + struct.pack("<I", crc) + tail


def pages(data):
    """Returns the pages of an Ogg file."""
    found, at = [], 0
    while at + 27 <= len(data):
        flags, granule, serial, number = struct.unpack("<BqII", data[at + 5 : at + 22])
        lacing = data[at + 27 : at + 27 + data[at + 26]]
        body = at + 27 + len(lacing)
        at = body + sum(lacing)
        found.append(Page(flags, granule, serial, number, lacing, data[body:at]))
    return found


def ogg(all_pages):
    """Returns the file of `all_pages`."""
    return b"".join(p.bytes() for p in all_pages)


def packets(all_pages):
    """Returns the packets of pages of one stream."""
    found, part = [], b""
    for page in all_pages:
        at = 0
        for size in page.lacing:
            part += page.body[at : at + size]
            at += size
            if size < 255:
                found.append(part)
                part = b""
    return found


def page_of(whole_packets, granule, number, flags=0, serial=1):
    """Returns a page that holds whole packets."""
    lacing = b"".join(b"\xff" * (len(p) // 255) + bytes([len(p) % 255]) for p in whole_packets)
    return Page(flags, granule, serial, number, lacing, b"".join(whole_packets))


def with_serial(all_pages, serial):
    """Returns pages under another serial number."""
    return [replace(p, serial=serial) for p in all_pages]


# MPEG audio

RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
L3_V1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
L3_V2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def mp3_frames(data):
    """Returns (start, length) of each layer III frame, behind an ID3v2 tag."""
    at, found = 0, []
    if data[:3] == b"ID3":
        at = 10 + sum((b & 127) << s for b, s in zip(data[6:10], (21, 14, 7, 0)))
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] & 0xE0 == 0xE0:
        version, code, rate = data[at + 1] >> 3 & 3, data[at + 2] >> 4, data[at + 2] >> 2 & 3
        kbit = (L3_V1 if version == 3 else L3_V2)[code]
        scale = 144000 if version == 3 else 72000
        size = scale * kbit // RATES[version][rate] + (data[at + 2] >> 1 & 1)
        found.append((at, size))
        at += size
    return found


def without_frames(data, frames, first, count):
    """Returns `data` without `count` frames from frame `first` on."""
    start = frames[first][0]
    end = frames[first + count][0]
    return data[:start] + data[end:]


def patched_info(data, frames_field):
    """Returns an MP3 whose Info or Xing tag states another number of frames."""
    at = max(data.find(b"Info", 0, 4000), data.find(b"Xing", 0, 4000))
    assert at > 0 and data[at + 7] & 1
    return data[: at + 8] + struct.pack(">I", frames_field) + data[at + 12 :]


def id3v1(title=b"A title"):
    """Returns the 128 bytes of an ID3v1 tag."""
    return b"TAG" + title.ljust(30, b"\0") + bytes(94) + b"\x11"


def id3v2(body, size=None, footer=False):
    """Returns an ID3v2.4 tag that states `size` bytes."""
    n = len(body) if size is None else size
    sync = bytes(n >> s & 127 for s in (21, 14, 7, 0))
    return b"ID3\4\0\0" + sync + body


def text_frame(name=b"TIT2", text=b"A title"):
    """Returns an ID3v2.4 text frame."""
    body = b"\3" + text
    return name + bytes(len(body) >> s & 127 for s in (21, 14, 7, 0)) + b"\0\0" + body


def ape_tag():
    """Returns an APEv2 tag with a header and one item."""
    item = struct.pack("<II", 7, 0) + b"Title\0" + b"A title"
    head = struct.pack("<III", 2000, len(item) + 32, 1)
    return (
        b"APETAGEX"
        + head
        + struct.pack("<I", 0xA0000000)
        + bytes(8)
        + item
        + b"APETAGEX"
        + head
        + struct.pack("<I", 0x80000000)
        + bytes(8)
    )


def adts_frames(data):
    """Returns (start, length) of each ADTS frame."""
    at, found = 0, []
    while at + 7 <= len(data):
        size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        found.append((at, size))
        at += size
    return found


# FLAC


def crc8(data):
    """Returns the checksum of a FLAC frame's header."""
    crc = 0
    for byte in data:
        crc = CRC8[crc ^ byte]
    return crc


def crc16(data):
    """Returns the checksum of a FLAC frame."""
    crc = 0
    for byte in data:
        crc = (crc << 8) & 0xFFFF ^ CRC16[(crc >> 8) ^ byte]
    return crc


def flac_blocks(data):
    """Returns the metadata blocks as (type, body) and the byte at which frames start."""
    at, found = 4, []
    while True:
        kind, size = data[at], int.from_bytes(data[at + 1 : at + 4], "big")
        found.append((kind & 127, data[at + 4 : at + 4 + size]))
        at += 4 + size
        if kind & 128:
            return found, at


def flac_file(blocks, frames):
    """Returns a FLAC file of metadata blocks and the bytes of frames."""
    out = b"fLaC"
    for n, (kind, body) in enumerate(blocks):
        last = 128 if n + 1 == len(blocks) else 0
        out += bytes([kind | last]) + len(body).to_bytes(3, "big") + body
    return out + frames


def flac_frames(data):
    """Returns the start of each frame, by sync word and header checksum, and the end."""
    _, at = flac_blocks(data)
    found = []
    while at + 6 < len(data):
        at = data.find(b"\xff", at)
        if at < 0:
            break
        if data[at + 1 : at + 2] in (b"\xf8", b"\xf9"):
            for size in range(5, 16):
                head = data[at : at + size]
                if head and len(head) == size and crc8(head[:-1]) == head[-1] and size >= 6:
                    if not found or crc16(data[found[-1] : at]) == 0:
                        found.append(at)
                    break
        at += 1
    return found + [len(data)]


def streaminfo(rate, channels, bits, total, low, high, md5=bytes(16)):
    """Returns the body of a STREAMINFO block."""
    packed = rate << 44 | (channels - 1) << 41 | (bits - 1) << 36 | total
    return struct.pack(">HH", low, high) + bytes(6) + packed.to_bytes(8, "big") + md5


def utf8_number(n):
    """Returns a frame or sample number as FLAC codes it."""
    if n < 128:
        return bytes([n])
    tail = []
    limit = 0x3F
    while True:
        tail.insert(0, 0x80 | n & 0x3F)
        n >>= 6
        limit >>= 1
        if n <= limit:
            break
    return bytes([0xFF & ~(2 * limit + 1) | n]) + bytes(tail)


def verbatim_frame(x, number, rate, bits, variable=False, codes=True):
    """Returns a FLAC frame that stores `x` ([samples, channels] of integers) as it is."""
    n, channels = x.shape
    rates = {
        88200: 1,
        176400: 2,
        192000: 3,
        8000: 4,
        16000: 5,
        22050: 6,
        24000: 7,
        32000: 8,
        44100: 9,
        48000: 10,
        96000: 11,
    }
    depth = {8: 1, 12: 2, 16: 4, 20: 5, 24: 6}[bits] if codes else 0
    head = bytes(
        [
            0xFF,
            0xF9 if variable else 0xF8,
            7 << 4 | (rates[rate] if codes else 0),
            (channels - 1) << 4 | depth << 1,
        ]
    )
    head += utf8_number(number) + struct.pack(">H", n - 1)
    head += bytes([crc8(head)])
    size = bits // 8
    body = b""
    for c in range(channels):
        column = x[:, c].astype(">i8").reshape(-1, 1).view("u1").reshape(-1, 8)
        body += b"\x02" + column[:, 8 - size :].tobytes()
    frame = head + body
    return frame + struct.pack(">H", crc16(frame))


# ISO media: a tree of atoms

HOLDERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"moof", b"traf", b"mvex"}


@dataclass
class Atom:
    """An atom with a body or with children."""

    name: bytes
    body: bytes = b""
    children: list = field(default_factory=list)

    def bytes(self):
        inside = self.body + b"".join(c.bytes() for c in self.children)
        return struct.pack(">I", len(inside) + 8) + self.name + inside

    def find(self, *path):
        """Returns the first atom under this one by its path of names."""
        atom = self
        for name in path:
            atom = next(c for c in atom.children if c.name == name)
        return atom


def atoms(data):
    """Returns the tree of atoms under a nameless root."""
    return Atom(b"", b"", _atoms(data))


def _atoms(data):
    at, found = 0, []
    while at + 8 <= len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        size = size or len(data) - at
        body = data[at + 8 : at + size]
        found.append(Atom(name, b"", _atoms(body)) if name in HOLDERS else Atom(name, body))
        at += size
    return found


def isom(root):
    """Returns the file of a tree of atoms."""
    return b"".join(c.bytes() for c in root.children)


def edit_list(*entries):
    """Returns an `edts` atom of (duration in movie units, media time in track units) entries."""
    body = struct.pack(">II", 0, len(entries))
    body += b"".join(struct.pack(">IiI", d, m, 0x10000) for d, m in entries)
    return Atom(b"edts", b"", [Atom(b"elst", body)])


def with_edits(data, *entries):
    """Returns an ISO file (with `moov` behind `mdat`) whose first track has this edit list."""
    root = atoms(data)
    trak = root.find(b"moov", b"trak")
    trak.children = [c for c in trak.children if c.name != b"edts"]
    if entries:
        trak.children.insert(1, edit_list(*entries))
    return isom(root)


def samples_of(data):
    """Returns (offset, size) of each sample of the first track, from stsc, stsz and stco."""
    table = atoms(data).find(b"moov", b"trak", b"mdia", b"minf", b"stbl")
    stsz, stsc, stco = (table.find(n).body for n in (b"stsz", b"stsc", b"stco"))
    same, count = struct.unpack(">II", stsz[4:12])
    sizes = [same] * count if same else list(struct.unpack(f">{count}I", stsz[12 : 12 + 4 * count]))
    chunks = struct.unpack(f">{(len(stco) - 8) // 4}I", stco[8:])
    runs = [struct.unpack(">III", stsc[i : i + 12]) for i in range(8, len(stsc), 12)]
    found, n = [], 0
    for c, at in enumerate(chunks, 1):
        per = [r[1] for r in runs if r[0] <= c][-1]
        for _ in range(per):
            if n == count:
                break
            found.append((at, sizes[n]))
            at += sizes[n]
            n += 1
    return found
