// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"google.golang.org/protobuf/types/known/emptypb"
)

// store is pstest with a file: what changes it is a line of JSON there, in the
// order in which it was done, and on the disk before it is answered.
type store struct {
	*pstest.GServer
	control *control

	mu      sync.Mutex // the order of the file is that of pstest
	file    *os.File
	out     *bufio.Writer
	written int64 // lines

	syncMu sync.Mutex // one fsync for all who wait
	synced int64
}

type message struct {
	Data        []byte            `json:"data,omitempty"`
	Attributes  map[string]string `json:"attributes,omitempty"`
	OrderingKey string            `json:"orderingKey,omitempty"`
}

// entry is a line: one of the members is set.
type entry struct {
	Topic        string           `json:"topic,omitempty"` // made, or with messages
	Messages     []message        `json:"messages,omitempty"`
	Subscription *pb.Subscription `json:"subscription,omitempty"`
	From         string           `json:"from,omitempty"` // a subscription
	Acked        []string         `json:"acked,omitempty"`
}

func openStore(ctx context.Context, path string, fake *pstest.GServer, c *control) (*store, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	s := &store{GServer: fake, control: c, file: file}
	good, err := s.replay(ctx)
	if err != nil {
		return nil, err
	}
	// What a kill has cut off was never answered.
	if err := file.Truncate(good); err != nil {
		return nil, err
	}
	if _, err := file.Seek(good, io.SeekStart); err != nil {
		return nil, err
	}
	s.out = bufio.NewWriterSize(file, 1<<20)
	return s, nil
}

// replay does again what the file holds, and returns how far it is whole.
func (s *store) replay(ctx context.Context) (int64, error) {
	in := bufio.NewReaderSize(s.file, 1<<20)
	var good int64
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return good, nil
		}
		if err != nil {
			return 0, err
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return 0, fmt.Errorf("byte %d: %w", good, err)
		}
		if err := s.redo(ctx, &e); err != nil {
			return 0, fmt.Errorf("byte %d: %w", good, err)
		}
		good += int64(len(line))
	}
}

func (s *store) redo(ctx context.Context, e *entry) error {
	var err error
	switch {
	case e.Messages != nil:
		r := &pb.PublishRequest{Topic: e.Topic}
		for _, m := range e.Messages {
			r.Messages = append(r.Messages, &pb.PubsubMessage{
				Data: m.Data, Attributes: m.Attributes, OrderingKey: m.OrderingKey})
		}
		_, err = s.GServer.Publish(ctx, r)
	case e.Topic != "":
		_, err = s.GServer.CreateTopic(ctx, &pb.Topic{Name: e.Topic})
	case e.Subscription != nil:
		_, err = s.GServer.CreateSubscription(ctx, e.Subscription)
	case e.From != "":
		_, err = s.GServer.Acknowledge(ctx, &pb.AcknowledgeRequest{
			Subscription: e.From, AckIds: e.Acked})
	}
	return err
}

// add writes a line, under mu, and returns its number.
func (s *store) add(e *entry) (int64, error) {
	line, err := json.Marshal(e)
	if err != nil {
		return 0, err
	}
	if _, err := s.out.Write(append(line, '\n')); err != nil {
		return 0, err
	}
	s.written++
	return s.written, nil
}

// sync returns when the line of that number is on the disk.
func (s *store) sync(number int64) error {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	if s.synced >= number {
		return nil
	}
	s.mu.Lock()
	last := s.written
	err := s.out.Flush()
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	s.synced = last
	return nil
}

// do runs act and, if it went well, writes e, in one; then waits for the disk.
func (s *store) do(e *entry, act func() error) error {
	s.mu.Lock()
	err := act()
	var number int64
	if err == nil {
		number, err = s.add(e)
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.sync(number)
}

func (s *store) CreateTopic(ctx context.Context, r *pb.Topic) (t *pb.Topic, err error) {
	err = s.do(&entry{Topic: r.Name}, func() error {
		t, err = s.GServer.CreateTopic(ctx, r)
		return err
	})
	return t, err
}

func (s *store) CreateSubscription(ctx context.Context, r *pb.Subscription) (sub *pb.Subscription, err error) {
	err = s.do(&entry{Subscription: r}, func() error {
		sub, err = s.GServer.CreateSubscription(ctx, r)
		return err
	})
	return sub, err
}

func (s *store) Acknowledge(ctx context.Context, r *pb.AcknowledgeRequest) (empty *emptypb.Empty, err error) {
	e := &entry{From: r.Subscription}
	for _, id := range r.AckIds {
		message, _, _ := strings.Cut(id, ":") // behind it is which delivery it was
		e.Acked = append(e.Acked, message)
	}
	err = s.do(e, func() error {
		empty, err = s.GServer.Acknowledge(ctx, r)
		return err
	})
	return empty, err
}

func (s *store) Publish(ctx context.Context, r *pb.PublishRequest) (*pb.PublishResponse, error) {
	if err := checkRules(r); err != nil {
		return nil, err
	}
	key := r.Messages[0].OrderingKey
	leave := s.control.enter(r.Topic + " " + key)
	defer leave()
	f := s.control.fault(r)
	if f != nil && !f.Lost {
		return nil, f.err()
	}
	answer, err := s.publish(ctx, r)
	if err == nil && f != nil { // accepted, and nobody is told
		return nil, f.err()
	}
	return answer, err
}

func (s *store) publish(ctx context.Context, r *pb.PublishRequest) (answer *pb.PublishResponse, err error) {
	e := &entry{Topic: r.Topic}
	for _, m := range r.Messages {
		e.Messages = append(e.Messages, message{m.Data, m.Attributes, m.OrderingKey})
	}
	err = s.do(e, func() error {
		answer, err = s.GServer.Publish(ctx, r)
		return err
	})
	return answer, err
}
