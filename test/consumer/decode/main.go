// SPDX-License-Identifier: Apache-2.0

// decode turns what nats.py and kafka.py read, {"headers": {...}, "data": base64}, into the lines that
// consumer writes. For a bus that keeps messages which a gocloud consumer cannot read back.
package main

import (
	"bufio"
	"encoding/json"
	"io"
	"log"
	"os"

	"kollect.test/consumer/event"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("decode: ")
	schema, err := event.Load()
	if err != nil {
		log.Fatal(err)
	}
	in := json.NewDecoder(bufio.NewReaderSize(os.Stdin, 1<<20))
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	lines := json.NewEncoder(out)
	for n := 1; ; n++ {
		var message struct {
			Headers map[string]string
			Data    []byte
		}
		if err := in.Decode(&message); err == io.EOF {
			break
		} else if err != nil {
			log.Fatalf("message %d: %v", n, err)
		}
		e, err := schema.Decode(message.Data)
		if err != nil {
			log.Fatalf("message %d: %v", n, err)
		}
		e.Attributes = message.Headers
		if err := lines.Encode(e); err != nil {
			log.Fatal(err)
		}
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}
