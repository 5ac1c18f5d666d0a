// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// tell sends one command and prints the answer, which comes when it counts.
func tell(socket string, words []string) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintln(conn, strings.Join(words, " "))
	answer, err := io.ReadAll(conn)
	if err != nil {
		log.Fatal(err)
	}
	if why, refused := strings.CutPrefix(string(answer), "error: "); refused {
		log.Fatal(strings.TrimSpace(why))
	}
	os.Stdout.Write(answer)
}

// obey takes one command a connection.
func (p *proxy) obey(control net.Listener) {
	for {
		conn, err := control.Accept()
		if err != nil {
			log.Fatal(err)
		}
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err == nil {
			log.Printf("told: %s", strings.TrimSpace(line))
			answer, err := p.command(strings.Fields(line))
			if err != nil {
				answer = "error: " + err.Error() + "\n"
			}
			io.WriteString(conn, answer)
		}
		conn.Close()
	}
}

func (p *proxy) command(words []string) (string, error) {
	var name string
	var number float64
	var err error
	switch len(words) {
	case 2:
		if number, err = strconv.ParseFloat(words[1], 64); err != nil {
			return "", err
		}
		fallthrough
	case 1:
		name = words[0]
	default:
		return "", errors.New("a command and at most one number are wanted")
	}
	switch name {
	case "pass", "silent", "hold", "refuse":
		p.setMode(mode(name))
	case "reset":
		p.reset()
	case "reset-every":
		p.resetEvery(time.Duration(number * float64(time.Second)))
	case "throttle":
		p.throttle(int64(number))
	case "cut":
		p.cutAfter(int64(number))
	case "stats":
		text, err := json.Marshal(p.stats())
		return string(text) + "\n", err
	default:
		return "", fmt.Errorf("%q is no command", name)
	}
	return "", nil
}
