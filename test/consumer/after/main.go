// SPDX-License-Identifier: Apache-2.0

// after N copies the frames behind the N-th from standard input: what a restart publishes again.
package main

import (
	"io"
	"log"
	"os"
	"strconv"

	"kollect.test/consumer/event"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("after: ")
	if len(os.Args) != 2 {
		log.Fatal("usage: after N")
	}
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	frames := event.NewFrames(os.Stdin)
	for ; n > 0; n-- {
		if _, err := frames.Next(); err != nil {
			log.Fatal(err)
		}
	}
	if _, err := io.Copy(os.Stdout, frames.Rest()); err != nil {
		log.Fatal(err)
	}
}
