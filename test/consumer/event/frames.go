// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Frames reads length-delimited messages, kollect(5).
type Frames struct {
	in *bufio.Reader
	at int64
}

// NewFrames reads from in.
func NewFrames(in io.Reader) *Frames {
	return &Frames{in: bufio.NewReaderSize(in, 1<<20)}
}

// Next is the body of the next frame; io.EOF behind the last.
func (f *Frames) Next() ([]byte, error) {
	size, err := binary.ReadUvarint(f.in)
	if err == io.EOF {
		return nil, err
	}
	if err == nil && size > 1<<26 {
		err = errors.New("no frame begins here")
	}
	var body []byte
	if err == nil {
		body = make([]byte, size)
		_, err = io.ReadFull(f.in, body)
	}
	if err != nil {
		return nil, fmt.Errorf("byte %d: %w", f.at, err)
	}
	f.at += int64(len(binary.AppendUvarint(nil, size))) + int64(size)
	return body, nil
}

// Rest is what follows the last frame that was read.
func (f *Frames) Rest() io.Reader {
	return f.in
}
