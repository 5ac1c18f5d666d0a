// SPDX-License-Identifier: Apache-2.0

// arrived compares what was to be published with what a consumer received.
//
//	arrived [--unordered] [--no-attributes] [--no-copies] [--shrunk SEQ,...] [--dead FILE] FRAMES LINES
//
// FRAMES is what kpublish was given, LINES what consumer (or decode) wrote. Every frame must be there, in the
// order of its key, and nothing else. A copy has the id and the bytes of the first one. One that was resent
// may stand behind newer messages of its key, as consumers know copies by their id; a message that is there for the
// first time may not. Frames named by --shrunk may have arrived with fewer bytes, if they say so; those in the
// dead-letter FILE must not have arrived at all.
//
// It prints "N messages, D copies", or the first ten things that are wrong, and ends with 1.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"

	"kollect.test/consumer/event"
)

const shown = 10

// wanted is a frame and what became of it.
type wanted struct {
	*event.Event
	place int // among the messages of its key, from 0
	found string
	bytes int
}

type check struct {
	unordered, noAttributes, noCopies bool
	shrunk                            map[uint64]bool
	byID                              map[string]*wanted
	order                             []*wanted
	next                              map[string]int // by key: the place of the next new message
	messages, copies, wrong           int
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("arrived: ")
	c := check{shrunk: map[uint64]bool{}, byID: map[string]*wanted{}, next: map[string]int{}}
	flag.BoolVar(&c.unordered, "unordered", false, "a key's messages may come in any order")
	flag.BoolVar(&c.noAttributes, "no-attributes", false, "the consumer sees none")
	flag.BoolVar(&c.noCopies, "no-copies", false, "the bus drops copies by itself")
	shrunk := flag.String("shrunk", "", "numbers that may have arrived smaller")
	dead := flag.String("dead", "", "a dead-letter file")
	flag.Parse()
	if flag.NArg() != 2 {
		log.Fatal("usage: arrived [OPTION]... FRAMES LINES")
	}
	for _, number := range strings.FieldsFunc(*shrunk, func(r rune) bool { return r == ',' }) {
		seq, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			log.Fatal(err)
		}
		c.shrunk[seq] = true
	}
	c.sent(flag.Arg(0), *dead)
	c.received(flag.Arg(1))
	for _, w := range c.order {
		if w.found == "" {
			c.say("seq %d of %s is missing", w.Seq, w.Key)
		}
	}
	if c.wrong > shown {
		fmt.Printf("and %d more\n", c.wrong-shown)
	}
	if c.wrong > 0 {
		os.Exit(1)
	}
	fmt.Printf("%d messages, %d copies\n", c.messages, c.copies)
}

func (c *check) say(format string, args ...any) {
	if c.wrong++; c.wrong <= shown {
		fmt.Printf(format+"\n", args...)
	}
}

// sent reads the frames, without those of the dead-letter file.
func (c *check) sent(frames, dead string) {
	schema, err := event.Load()
	if err != nil {
		log.Fatal(err)
	}
	gone := map[string]*event.Event{}
	if dead != "" {
		each(schema, dead, func(e *event.Event) { gone[e.ID] = e })
	}
	places := map[string]int{}
	each(schema, frames, func(e *event.Event) {
		if other := c.byID[e.ID]; other != nil {
			log.Fatalf("%s: the frames have seq %d and %d with one id", frames, other.Seq, e.Seq)
		}
		if g := gone[e.ID]; g != nil {
			if g.SHA256 != e.SHA256 {
				c.say("seq %d has other bytes in %s", e.Seq, dead)
			}
			delete(gone, e.ID)
			return
		}
		w := &wanted{Event: e, place: places[e.Key]}
		places[e.Key]++
		c.byID[e.ID] = w
		c.order = append(c.order, w)
	})
	for id := range gone {
		c.say("%s is in %s, and was not sent", id, dead)
	}
}

func each(schema *event.Schema, path string, do func(*event.Event)) {
	file, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	for frames := event.NewFrames(file); ; {
		body, err := frames.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			log.Fatalf("%s: %v", path, err)
		}
		e, err := schema.Decode(body)
		if err != nil {
			log.Fatalf("%s: %v", path, err)
		}
		do(e)
	}
}

func (c *check) received(path string) {
	file, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	in := json.NewDecoder(bufio.NewReaderSize(file, 1<<20))
	for n := 1; ; n++ {
		var e event.Event
		if err := in.Decode(&e); err == io.EOF {
			return
		} else if err != nil {
			log.Fatalf("%s: message %d: %v", path, n, err)
		}
		c.message(n, &e)
	}
}

func (c *check) message(n int, e *event.Event) {
	w := c.byID[e.ID]
	if w == nil {
		c.say("message %d: %s, seq %d, was not to come", n, e.ID, e.Seq)
		return
	}
	if w.found != "" {
		c.copies++
		if w.found != e.SHA256 {
			c.say("message %d: a copy of seq %d has other bytes", n, e.Seq)
		} else if c.noCopies {
			c.say("message %d: seq %d once more", n, e.Seq)
		}
		return
	}
	c.messages++
	w.found = e.SHA256
	if expected := c.next[w.Key]; w.place != expected && !c.unordered {
		c.say("message %d: seq %d of %s came where its key's message %d was next", n, e.Seq, e.Key, expected+1)
	}
	c.next[w.Key] = w.place + 1
	c.same(n, w.Event, e)
}

// same compares all that a message says.
func (c *check) same(n int, want, have *event.Event) {
	smaller := c.shrunk[want.Seq] && have.Bytes < want.Bytes && have.Shrunk > want.Shrunk
	if want.SHA256 != have.SHA256 && !smaller {
		c.say("message %d: seq %d has other bytes: %d, not %d", n, want.Seq, have.Bytes, want.Bytes)
	}
	a, b := *want, *have
	for _, e := range []*event.Event{&a, &b} {
		e.Attributes, e.Bytes, e.SHA256 = nil, 0, ""
		if smaller {
			e.Shrunk = 0
		}
	}
	if left, right := line(&a), line(&b); left != right {
		c.say("message %d: seq %d says %s, not %s", n, want.Seq, right, left)
	}
	if !c.noAttributes {
		c.attributes(n, want, have.Attributes)
	}
}

// attributes are those of DESIGN 1.4; buses repeat the key and the id under names of their own.
func (c *check) attributes(n int, want *event.Event, have map[string]string) {
	expected := want.Expected()
	for name, value := range map[string]string{"key": want.Key, "Nats-Msg-Id": want.ID} {
		if _, there := have[name]; there {
			expected[name] = value
		}
	}
	if left, right := line(expected), line(have); left != right {
		c.say("message %d: seq %d has the attributes %s, not %s", n, want.Seq, right, left)
	}
}

// line is JSON; maps are in the order of their names.
func line(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		log.Fatal(err)
	}
	return string(text)
}
