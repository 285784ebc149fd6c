"""Decodes Thrift's compact protocol into dictionaries by field number: enough for Parquet's footer, page headers and indexes.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def varint(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def zigzag(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def struct(self):
        fields, number = {}, 0
        while head := self.data[self.at]:
            self.at += 1
            number = number + (head >> 4) if head >> 4 else self.zigzag()
            kind = head & 15
            fields[number] = kind == TRUE if kind in (TRUE, FALSE) else self.value(kind)
        self.at += 1
        return fields

    def value(self, kind):
        if kind in (TRUE, FALSE, BYTE):
            self.at += 1
            return self.data[self.at - 1] == 1 if kind != BYTE else self.data[self.at - 1]
        if kind in (I16, I32, I64):
            return self.zigzag()
        if kind == BINARY:
            length = self.varint()
            self.at += length
            return bytes(self.data[self.at - length : self.at])
        if kind in (LIST, SET):
            head = self.data[self.at]
            self.at += 1
            length = head >> 4 if head >> 4 < 15 else self.varint()
            return [self.value(head & 15) for _ in range(length)]
        assert kind == STRUCT, f"no Parquet structure has a value of kind {kind}"
        return self.struct()


def struct_at(data, at):
    """The structure at an offset, and the offset behind it."""
    reader = Reader(data, at)
    return reader.struct(), reader.at
