// Package msgpack translates between JSON text and MessagePack the way JavaScript programs with
// notepack.io do: what Node's Redis adapters publish, and what clients built with
// socket.io-msgpack-parser send.
//
// Neither direction builds values in between: an [Encoder] walks the text by its [Outline], a [Decoder]
// appends text value by value. Binary values are attachments beside the text, which has placeholders for
// them, {"_placeholder":true,"num":0}, as packets of Socket.IO do.
//
// Encoders and decoders are not safe for concurrent use. Nesting and the number of attachments are
// bounded; the length of the input is the caller's to bound.
package msgpack
