// SPDX-License-Identifier: Apache-2.0

package main

import (
	"log"
	"net"
	"sync"
	"time"
)

type mode string

const (
	pass   mode = "pass"
	silent mode = "silent"
	hold   mode = "hold"
	refuse mode = "refuse"
)

// ending is how both sides of a link are closed.
type ending int

const (
	closed ending = iota // as one of them was
	reset
	cut // a reset for the client; the server is to have what came before, and sees an end
)

// A throttled client's bytes go on in pieces of this part of a second, so that the rate is even.
const slice = 50

type proxy struct {
	target string

	mu      sync.Mutex
	changed *sync.Cond // the mode or the rate
	mode    mode
	links   map[*link]bool
	rate    int64     // bytes a second, 0: any
	due     time.Time // when the next throttled bytes may go
	cutAt   []int64   // bytes until the next cut, and between it and those that follow
	stop    chan struct{}

	connections, resets, cuts int
	bytes                     int64
}

// link is a client and its connection to the server, if it has one.
type link struct {
	client, server *net.TCPConn
	silent, gone   bool
}

type stats struct {
	Connections int   `json:"connections"`
	Open        int   `json:"open"`
	Resets      int   `json:"resets"`
	Cuts        int   `json:"cuts"`
	Bytes       int64 `json:"bytes"`
}

func newProxy(target string) *proxy {
	p := &proxy{target: target, mode: pass, links: map[*link]bool{}}
	p.changed = sync.NewCond(&p.mu)
	return p
}

// serve is a connection from its beginning to its end.
func (p *proxy) serve(client *net.TCPConn) {
	l := &link{client: client}
	p.mu.Lock()
	p.connections++
	refused := p.mode == refuse
	l.silent = p.mode == silent
	if !refused {
		p.links[l] = true
	}
	p.mu.Unlock()
	if refused {
		finish(client, true)
		return
	}
	if !l.silent && !p.connect(l) {
		return
	}
	if l.server != nil {
		go p.pump(l, l.server, l.client, false)
	}
	p.pump(l, l.client, l.server, true)
}

func (p *proxy) connect(l *link) bool {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		log.Print(err)
		p.end(l, reset)
		return false
	}
	p.mu.Lock()
	l.server = server.(*net.TCPConn)
	gone := l.gone
	p.mu.Unlock()
	if gone { // reset while it was being connected
		finish(l.server, true)
	}
	return !gone
}

// pump copies one direction until either side has ended. Small kernel buffers would hide less, but the kernel
// has the last word; 64 KiB are asked for, so that a client feels a throttle soon.
func (p *proxy) pump(l *link, from, to *net.TCPConn, up bool) {
	if up {
		from.SetReadBuffer(64 << 10)
	}
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer[:p.piece(up, len(buffer))])
		if n > 0 && p.admit(l, n, up) {
			if _, werr := to.Write(buffer[:n]); werr != nil {
				err = werr
			}
			if up {
				p.countdown(int64(n))
			}
		}
		if err != nil {
			p.end(l, closed)
			return
		}
	}
}

// piece is how much may be read at once: what the rate allows, and not beyond a cut.
func (p *proxy) piece(up bool, most int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := int64(most)
	if up && p.rate > 0 {
		n = min(n, max(p.rate/slice, 1))
	}
	if up && len(p.cutAt) > 0 {
		n = min(n, max(p.cutAt[0], 1))
	}
	return int(n)
}

// admit waits until n bytes may go on, and tells whether they may at all.
func (p *proxy) admit(l *link, n int, up bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if up {
		p.bytes += int64(n)
		p.pace(n)
	}
	for !up && p.mode == hold && !l.gone && !l.silent {
		p.changed.Wait()
	}
	return !l.silent && !l.gone
}

// countdown cuts when it is time.
func (p *proxy) countdown(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.cutAt) == 0 {
		return
	}
	if p.cutAt[0] -= n; p.cutAt[0] > 0 {
		return
	}
	p.cutAt = p.cutAt[1:]
	p.cuts++
	p.endAll(cut)
}

// pace sleeps, unlocked, until n bytes fit the rate.
func (p *proxy) pace(n int) {
	if p.rate == 0 {
		return
	}
	now := time.Now()
	if p.due.Before(now) {
		p.due = now
	}
	p.due = p.due.Add(time.Duration(float64(n) / float64(p.rate) * float64(time.Second)))
	wait := p.due.Sub(now)
	p.mu.Unlock()
	time.Sleep(wait)
	p.mu.Lock()
}

func (p *proxy) end(l *link, how ending) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endLocked(l, how)
}

func (p *proxy) endLocked(l *link, how ending) {
	if l.gone {
		return
	}
	l.gone = true
	delete(p.links, l)
	p.changed.Broadcast()
	finish(l.client, how != closed)
	if l.server != nil {
		finish(l.server, how == reset)
	}
}

func (p *proxy) endAll(how ending) {
	p.resets += len(p.links)
	for l := range p.links {
		p.endLocked(l, how)
	}
}

func finish(conn *net.TCPConn, abrupt bool) {
	if abrupt {
		conn.SetLinger(0) // RST, not FIN
	}
	conn.Close()
}

func (p *proxy) setMode(to mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = to
	switch to {
	case silent:
		for l := range p.links {
			l.silent = true
		}
	case refuse:
		p.endAll(reset)
	}
	p.changed.Broadcast()
}

func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endAll(reset)
}

func (p *proxy) resetEvery(every time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop != nil {
		close(p.stop)
		p.stop = nil
	}
	if every <= 0 {
		return
	}
	p.stop = make(chan struct{})
	go func(stop chan struct{}) {
		for tick := time.NewTicker(every); ; {
			select {
			case <-tick.C:
				p.reset()
			case <-stop:
				tick.Stop()
				return
			}
		}
	}(p.stop)
}

func (p *proxy) throttle(rate int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate, p.due = rate, time.Time{}
}

func (p *proxy) cutAfter(bytes []float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutAt = nil
	for _, n := range bytes {
		p.cutAt = append(p.cutAt, int64(n))
	}
}

func (p *proxy) stats() stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return stats{p.connections, len(p.links), p.resets, p.cuts, p.bytes}
}
