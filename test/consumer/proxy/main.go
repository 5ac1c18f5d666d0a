// SPDX-License-Identifier: Apache-2.0

// proxy stands between a client and a TCP server, and makes faults as it is told.
//
//	proxy [--port PORT] SOCKET PORTFILE HOST:PORT    runs, on a free port of 127.0.0.1 unless told which
//	proxy --tell SOCKET COMMAND [NUMBER...]          prints the answer; 1 when it is refused
//
// The commands:
//
//	pass           everything passes, as at the beginning. Ends silent, hold and refuse for what is new or
//	               was held back; a connection that fell silent stays so
//	silent         connections, present and new, are read from and never answered; nothing reaches the server
//	hold           what the server says is held back until pass
//	refuse         new connections are reset; so are present ones
//	reset          all present connections are reset, once
//	reset-every S  and again every S seconds; 0: no more
//	throttle N     clients send at most N bytes a second together; 0: as they like
//	cut N...       when N more bytes have come from clients, all connections are reset; then the same with the
//	               next N
//	stats          {"connections": since the start, "open": now, "resets": of connections, "cuts": how often,
//	               "bytes": from clients}
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"os"
)

func main() {
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	port := flag.Int("port", 0, "port to listen on")
	told := flag.Bool("tell", false, "tell a running proxy")
	flag.Parse()
	if *told {
		if flag.NArg() < 2 {
			log.Fatal("usage: proxy --tell SOCKET COMMAND [NUMBER...]")
		}
		tell(flag.Arg(0), flag.Args()[1:])
		return
	}
	if flag.NArg() != 3 {
		log.Fatal("usage: proxy [--port PORT] SOCKET PORTFILE HOST:PORT")
	}
	if err := run(*port, flag.Arg(0), flag.Arg(1), flag.Arg(2)); err != nil {
		log.Fatal(err)
	}
}

func run(port int, socket, portFile, target string) error {
	control, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	p := newProxy(target)
	go p.obey(control)
	if err := publish(portFile, listener.Addr().(*net.TCPAddr).Port); err != nil {
		return err
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go p.serve(client.(*net.TCPConn))
	}
}

// publish writes the port; the file appears whole.
func publish(path string, port int) error {
	if err := os.WriteFile(path+".new", []byte(fmt.Sprintln(port)), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
