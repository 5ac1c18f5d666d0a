// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// control is what a test orders and what it can ask about.
//
//	POST /control/fault?code=UNAVAILABLE&n=3   the next three publish requests fail so;
//	     &after=100     when a hundred more have passed, behind what was ordered before
//	     &name=web-3    those with a message whose attribute `name` is this
//	     &lost=1        accepted all the same
//	POST /control/hold?ms=50                   each publish request takes so long
//	POST /control/limit?bytes=20000            the largest request
//	POST /control/tokens?seconds=5             tokens given from now on are good for so long
//	POST /control/revoke                       tokens given so far are good no longer
//	POST /control/refuse?n=2&body=…            the next requests for tokens fail
//	POST /control/page?n=1&status=503          requests are answered by no API, but a page of HTML
//	POST /control/reset                        none of these any more, and counts from 0
//	GET  /control/counts                       an object of numbers
//	GET  /control/topic?name=t                 how many messages projects/p/topics/t has accepted
type control struct {
	mu      sync.Mutex
	faults  []*fault
	hold    time.Duration
	usual   int64 // limit, when no other is ordered
	limit   int64
	refuse  int
	refusal string
	pages   int
	page    int
	seconds int
	revoked int // tokens up to this number
	counts  map[string]int
	topics  map[string]int // messages accepted
	within  map[string]int // ordering keys whose requests are being dealt with
}

type fault struct {
	code  codes.Code
	n     int
	after int
	name  string
	lost  bool
}

func (f *fault) err() error {
	return status.Errorf(f.code, "ordered: %v", f.code)
}

func newControl(limit int64) *control {
	return &control{usual: limit, limit: limit, seconds: 3599, counts: map[string]int{},
		topics: map[string]int{}, within: map[string]int{}}
}

func (c *control) accepted(topic string, n int) {
	c.mu.Lock()
	c.topics[topic] += n
	c.mu.Unlock()
}

func (c *control) count(what string) {
	c.mu.Lock()
	c.counts[what]++
	c.mu.Unlock()
}

// enter notes that a request with an ordering key is being dealt with. Two with
// the same key at once may be accepted in any order: a client must not do that.
func (c *control) enter(key string) (leave func()) {
	c.mu.Lock()
	hold := c.hold
	c.within[key]++
	if c.within[key] > 1 && !strings.HasSuffix(key, " ") {
		c.counts["overlaps"]++
	}
	if len(c.within) > c.counts["at_once"] {
		c.counts["at_once"] = len(c.within)
	}
	c.mu.Unlock()
	time.Sleep(hold)
	return func() {
		c.mu.Lock()
		c.within[key]--
		if c.within[key] == 0 {
			delete(c.within, key)
		}
		c.mu.Unlock()
	}
}

// fault returns the one ordered for this request, or nil.
func (c *control) fault(r *pb.PublishRequest) *fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts["messages"] += len(r.Messages)
	if len(r.Messages) > c.counts["largest_batch"] {
		c.counts["largest_batch"] = len(r.Messages)
	}
	for _, f := range c.faults {
		if f.n == 0 || !f.is(r) {
			continue
		}
		if f.after > 0 {
			f.after--
			return nil
		}
		f.n--
		c.counts["faults"]++
		return f
	}
	return nil
}

func (f *fault) is(r *pb.PublishRequest) bool {
	if f.name == "" {
		return true
	}
	for _, m := range r.Messages {
		if m.Attributes["name"] == f.name {
			return true
		}
	}
	return false
}

// limited refuses requests that are too large, as a front end does: the whole
// body counts, base64 and all.
func (c *control) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, ":publish") {
			next.ServeHTTP(w, r)
			return
		}
		c.mu.Lock()
		limit := c.limit
		c.mu.Unlock()
		body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
		if err != nil {
			return // the client has gone
		}
		if int64(len(body)) > limit {
			c.count("too_large")
			io.Copy(io.Discard, r.Body)
			writeError(w, http.StatusBadRequest, codes.InvalidArgument,
				fmt.Sprintf("Request payload size exceeds the limit: %d bytes.", limit))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// counted counts requests to publish, and answers pages where those were ordered.
func (c *control) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, ":publish") {
			next.ServeHTTP(w, r)
			return
		}
		c.mu.Lock()
		c.counts["requests"]++
		if r.ProtoMajor == 2 {
			c.counts["http2"]++
		}
		page := c.pages > 0
		if page {
			c.pages--
		}
		status := c.page
		c.mu.Unlock()
		if !page {
			next.ServeHTTP(w, r)
			return
		}
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(status)
		fmt.Fprint(w, "<!DOCTYPE html><title>Error</title>")
	})
}

// refused says whether a request for a token is to fail, and with what body.
func (c *control) refused() (bool, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse == 0 {
		return false, ""
	}
	c.refuse--
	return true, c.refusal
}

func number(r *http.Request, name string, otherwise int) int {
	n, err := strconv.Atoi(r.FormValue(name))
	if err != nil {
		return otherwise
	}
	return n
}

func (c *control) serve(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch strings.TrimPrefix(r.URL.Path, "/control/") {
	case "fault":
		f := &fault{n: number(r, "n", 1), after: number(r, "after", 0),
			name: r.FormValue("name"), lost: r.FormValue("lost") != ""}
		if err := f.code.UnmarshalJSON([]byte(strconv.Quote(r.FormValue("code")))); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.faults = append(c.faults, f)
	case "hold":
		c.hold = time.Duration(number(r, "ms", 0)) * time.Millisecond
	case "limit":
		c.limit = int64(number(r, "bytes", int(c.usual)))
	case "tokens":
		c.seconds = number(r, "seconds", 3599)
	case "revoke":
		c.revoked = c.counts["tokens"]
	case "refuse":
		c.refuse, c.refusal = number(r, "n", 1), r.FormValue("body")
	case "page":
		c.pages, c.page = number(r, "n", 1), number(r, "status", http.StatusServiceUnavailable)
	case "reset":
		c.faults, c.hold, c.limit, c.seconds, c.refuse, c.pages = nil, 0, c.usual, 3599, 0, 0
		c.counts = map[string]int{"tokens": c.counts["tokens"]}
	case "topic":
		fmt.Fprintln(w, c.topics["projects/p/topics/"+r.FormValue("name")])
	case "counts":
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(c.counts)
	default:
		http.NotFound(w, r)
	}
}
