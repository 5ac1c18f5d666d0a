// SPDX-License-Identifier: Apache-2.0

// amqp takes what a queue of an AMQP 1.0 broker holds, as fast as it goes, and writes lines for decode:
// {"headers": {...}, "data": base64}.
//
//	amqp [--idle SECONDS] HOST:PORT USER PASSWORD QUEUE COUNT
//
// It ends with 0 when COUNT different ids have come and nothing else does; with 1 when nothing has come for so
// long (default 60 s) before that.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/Azure/go-amqp"
)

const (
	// What comes after the last message that was waited for is a copy, or a mistake.
	linger = time.Second
	credit = 1000
)

type line struct {
	Headers map[string]interface{} `json:"headers"`
	Data    []byte                 `json:"data"`
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("amqp: ")
	idle := flag.Float64("idle", 60, "seconds")
	flag.Parse()
	if flag.NArg() != 5 {
		log.Fatal("usage: amqp [--idle SECONDS] HOST:PORT USER PASSWORD QUEUE COUNT")
	}
	count, err := strconv.Atoi(flag.Arg(4))
	if err != nil {
		log.Fatal(err)
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	err = take(out, count, time.Duration(*idle*float64(time.Second)))
	if ferr := out.Flush(); err == nil {
		err = ferr
	}
	if err != nil {
		log.Fatal(err)
	}
}

func take(out *bufio.Writer, count int, idle time.Duration) error {
	client, err := amqp.Dial("amqp://"+flag.Arg(0), amqp.ConnSASLPlain(flag.Arg(1), flag.Arg(2)))
	if err != nil {
		return err
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	receiver, err := session.NewReceiver(amqp.LinkSourceAddress(flag.Arg(3)), amqp.LinkCredit(credit))
	if err != nil {
		return err
	}
	lines := json.NewEncoder(out)
	for ids := map[interface{}]bool{}; ; {
		patience := idle
		if len(ids) >= count {
			patience = linger
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		message, err := receiver.Receive(ctx)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) && len(ids) >= count {
			return nil
		} else if err != nil {
			log.Printf("%d of %d messages", len(ids), count)
			return err
		}
		if err := lines.Encode(line{message.ApplicationProperties, message.GetData()}); err != nil {
			return err
		}
		ids[message.Properties.MessageID] = true
		if err := message.Accept(context.Background()); err != nil {
			return err
		}
	}
}
