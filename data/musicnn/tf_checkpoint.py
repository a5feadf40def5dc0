"""Reads TensorFlow's checkpoint format V2 without TensorFlow.

A checkpoint is two files. `.index` is a LevelDB table from a variable's name to
a BundleEntryProto: data type, shape, offset, size and checksum. The data file
holds the values, little-endian. Sources: tensorflow/core/protobuf/
tensor_bundle.proto and LevelDB's doc/table_format.md.
"""

import struct

import numpy as np

MAGIC = 0xDB4775248B80FB57  # of a LevelDB table, its last 8 bytes
FOOTER = 48
FLOAT = 1  # DT_FLOAT


class CheckpointError(Exception):
    """The bytes are not a checkpoint that this module reads."""


def _crc_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


CRC_TABLE = _crc_table()


def masked_crc32c(data):
    """Returns the CRC-32C of bytes as LevelDB stores it: rotated, plus a constant."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(data, at):
    """Returns the variable-length integer at a position, and the position behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def table_block(data, handle):
    """Returns (key, value) of each entry of a block. A handle is an offset and a size.

    Behind a block follow its compression (0 is none) and its checksum. An entry
    holds how many bytes of its key are those of the key before it.
    """
    offset, size = handle
    block = data[offset : offset + size]
    compression = data[offset + size]
    (checksum,) = struct.unpack_from("<I", data, offset + size + 1)
    if compression != 0:
        raise CheckpointError(f"the index is compressed (method {compression})")
    if checksum != masked_crc32c(block + bytes([compression])):
        raise CheckpointError("the index has a wrong checksum")
    (restarts,) = struct.unpack_from("<I", block, size - 4)
    end = size - 4 - 4 * restarts
    at, key, entries = 0, b"", []
    while at < end:
        shared, at = varint(block, at)
        own, at = varint(block, at)
        length, at = varint(block, at)
        key = key[:shared] + block[at : at + own]
        at += own
        entries.append((key, block[at : at + length]))
        at += length
    return entries


def handle_at(data, at):
    offset, at = varint(data, at)
    size, at = varint(data, at)
    return (offset, size), at


def table_entries(data):
    """Returns (key, value) of each entry of a LevelDB table."""
    footer = data[-FOOTER:]
    if struct.unpack("<Q", footer[-8:])[0] != MAGIC:
        raise CheckpointError("the index is not a LevelDB table")
    _, at = handle_at(footer, 0)  # of the metadata, which is empty
    index, _ = handle_at(footer, at)
    for _, value in table_block(data, index):
        handle, _ = handle_at(value, 0)
        yield from table_block(data, handle)


def message(data):
    """Returns field -> list of values of a protocol buffer message."""
    fields, at = {}, 0
    while at < len(data):
        tag, at = varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            length, at = varint(data, at)
            value = data[at : at + length]
            at += length
        elif kind == 5:
            (value,) = struct.unpack_from("<I", data, at)
            at += 4
        else:
            raise CheckpointError(f"the index has a field of wire type {kind}")
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def read_variables(index, data, wanted):
    """Returns name -> f32 array of the variables for which `wanted(name)` holds.

    `index` and `data` are the bytes of the two files. Checks each variable's
    checksum.
    """
    variables = {}
    for key, value in table_entries(index):
        name = key.decode()
        if not name or not wanted(name):  # the empty name is the header
            continue
        entry = message(value)
        if entry[1] != [FLOAT]:
            raise CheckpointError(f"{name} is not of type float")
        dims = message(entry[2][0]).get(2, [])
        shape = [message(dim)[1][0] for dim in dims]
        if entry.get(3, [0]) != [0]:
            raise CheckpointError(f"{name} is in a second data file")
        offset, size = entry.get(4, [0])[0], entry[5][0]
        values = data[offset : offset + size]
        if masked_crc32c(values) != entry[6][0]:
            raise CheckpointError(f"{name} has a wrong checksum")
        variables[name] = np.frombuffer(values, "<f4").reshape(shape)
    return variables
