package cluster

import (
	"strconv"
	"strings"
)

// Slots is the number of slots of a Redis Cluster.
const Slots = 16384

// SlotOf is the slot of a key or shard channel: the CRC16 (XMODEM) of what stands between the first
// { and the } after it, or of the whole name if there is no such part or it is empty.
func SlotOf(name string) uint16 {
	if begin := strings.IndexByte(name, '{'); begin >= 0 {
		if length := strings.IndexByte(name[begin+1:], '}'); length > 0 {
			name = name[begin+1 : begin+1+length]
		}
	}
	return crc16(name) % Slots
}

// crcTable has the checksum of each byte.
var crcTable = func() (table [256]uint16) {
	for i := range table {
		crc := uint16(i) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
		table[i] = crc
	}
	return table
}()

// crc16 is the checksum of text.
func crc16(text string) (crc uint16) {
	for i := range len(text) {
		crc = crc<<8 ^ crcTable[byte(crc>>8)^text[i]]
	}
	return crc
}

// NameInSlot completes a name by a number so that it is in a slot: the first number that does, so
// that all instances find the same. It takes some 16,000 tries, a millisecond. A name whose slot a
// part of it decides (see slotOf) and that is in another slot gets the number before it, in braces.
func NameInSlot(prefix string, slot uint16) string {
	try := func(n int) string { return prefix + strconv.Itoa(n) + "#" }
	if s := SlotOf(prefix); s != slot && s == SlotOf(try(0)) && s == SlotOf(try(1)) {
		try = func(n int) string { return "{" + strconv.Itoa(n) + "}" + prefix }
	}
	for n := 0; ; n++ {
		if name := try(n); SlotOf(name) == slot {
			return name
		}
	}
}

// AdapterID completes a random id of an instance so that its response channel is in the slot of the main
// channel: its first eight characters, forty-eight random bits, and a number. If the namespace's name
// alone decides the slot, every id does.
func AdapterID(key, nsp, id string) string {
	main := key + "#" + nsp + "#"
	slot := SlotOf(main)
	for n := range int64(1 << 20) {
		try := id[:8] + strconv.FormatInt(n, 36)
		if SlotOf(main+try+"#") == slot {
			return try
		}
	}
	return id
}
