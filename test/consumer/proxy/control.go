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
	if len(words) == 0 {
		return "", errors.New("no command")
	}
	var numbers []float64
	for _, word := range words[1:] {
		number, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return "", err
		}
		numbers = append(numbers, number)
	}
	if want := map[string]int{"reset-every": 1, "throttle": 1, "cut": len(numbers)}[words[0]]; len(numbers) != want {
		return "", fmt.Errorf("%s takes %d numbers", words[0], want)
	}
	switch words[0] {
	case "pass", "silent", "hold", "refuse":
		p.setMode(mode(words[0]))
	case "reset":
		p.reset()
	case "reset-every":
		p.resetEvery(time.Duration(numbers[0] * float64(time.Second)))
	case "throttle":
		p.throttle(int64(numbers[0]))
	case "cut":
		p.cutAfter(numbers)
	case "stats":
		text, err := json.Marshal(p.stats())
		return string(text) + "\n", err
	default:
		return "", fmt.Errorf("%q is no command", words[0])
	}
	return "", nil
}
