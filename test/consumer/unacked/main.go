// SPDX-License-Identifier: Apache-2.0

// unacked SEQ copies the frames behind SEQ from standard input: what a restart publishes again.
package main

import (
	"bufio"
	"io"
	"log"
	"os"
	"strconv"

	"kollect.test/consumer/event"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("unacked: ")
	if len(os.Args) != 2 {
		log.Fatal("usage: unacked SEQ")
	}
	acked, err := strconv.ParseUint(os.Args[1], 10, 64)
	if err != nil {
		log.Fatal(err)
	}
	schema, err := event.Load()
	if err != nil {
		log.Fatal(err)
	}
	in, out := event.NewFrames(os.Stdin), bufio.NewWriterSize(os.Stdout, 1<<20)
	for {
		body, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		e, err := schema.Decode(body)
		if err != nil {
			log.Fatal(err)
		}
		if e.Seq <= acked {
			continue
		}
		if err := event.WriteFrame(out, body); err != nil {
			log.Fatal(err)
		}
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}
