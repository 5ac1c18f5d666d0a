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

// store is pstest with a file: what changes it is a line of JSON there, on the
// disk before it is answered. A line of messages is a request.
type store struct {
	*pstest.GServer
	control *control

	mu            sync.Mutex // of all but the last two
	file          *os.File
	out           *bufio.Writer
	size          int64 // of the file, with what is in out
	topics        map[string]*topic
	subscriptions map[string]*subscription

	syncMu sync.Mutex // one fsync for all who wait
	synced int64      // so much of the file is on the disk
}

type message struct {
	Data        []byte            `json:"data,omitempty"`
	Attributes  map[string]string `json:"attributes,omitempty"`
	OrderingKey string            `json:"orderingKey,omitempty"`
}

// entry is a line.
type entry struct {
	Topic    string    `json:"topic,omitempty"` // made; or has accepted
	Messages []message `json:"messages,omitempty"`

	Subscription *pb.Subscription `json:"subscription,omitempty"` // made

	From  string `json:"from,omitempty"`  // a subscription, of which
	Acked []int  `json:"acked,omitempty"` // these are done: their numbers in the topic
}

func openStore(ctx context.Context, path string, fake *pstest.GServer, c *control) (*store, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	s := &store{GServer: fake, control: c, file: file,
		topics: map[string]*topic{}, subscriptions: map[string]*subscription{}}
	if err := s.replay(ctx); err != nil {
		return nil, err
	}
	// What a kill has cut off was never answered.
	if err := file.Truncate(s.size); err != nil {
		return nil, err
	}
	if _, err := file.Seek(s.size, io.SeekStart); err != nil {
		return nil, err
	}
	s.out = bufio.NewWriterSize(file, 1<<20)
	for _, sub := range s.subscriptions {
		if err := s.feed(ctx, sub); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// replay does again what the whole lines of the file say.
func (s *store) replay(ctx context.Context) error {
	in := bufio.NewReaderSize(s.file, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("byte %d: %w", s.size, err)
		}
		if err := s.redo(ctx, &e, span{s.size, len(line)}); err != nil {
			return fmt.Errorf("byte %d: %w", s.size, err)
		}
		s.size += int64(len(line))
	}
}

func (s *store) redo(ctx context.Context, e *entry, where span) (err error) {
	switch {
	case e.Messages != nil:
		s.topics[e.Topic].add(where, len(e.Messages))
		s.control.accepted(e.Topic, len(e.Messages))
	case e.Topic != "":
		_, err = s.makeTopic(ctx, &pb.Topic{Name: e.Topic})
	case e.Subscription != nil:
		_, err = s.makeSubscription(ctx, e.Subscription)
	case e.From != "":
		for _, number := range e.Acked {
			s.subscriptions[e.From].acked[number] = true
		}
	}
	return err
}

// write adds a line, under mu.
func (s *store) write(e *entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return s.writeLine(append(line, '\n'))
}

func (s *store) writeLine(line []byte) error {
	s.size += int64(len(line))
	_, err := s.out.Write(line)
	return err
}

// do runs act and, if it went well, writes e; then it waits for the disk.
func (s *store) do(e *entry, act func(where span) error) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	s.mu.Lock()
	err = act(span{s.size, len(line)})
	if err == nil {
		err = s.writeLine(line)
	}
	end := s.size
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.sync(end)
}

// sync returns when so much of the file is on the disk.
func (s *store) sync(end int64) error {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	if s.synced >= end {
		return nil
	}
	s.mu.Lock()
	size := s.size
	err := s.out.Flush()
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	s.synced = size
	return nil
}

func (s *store) CreateTopic(ctx context.Context, r *pb.Topic) (t *pb.Topic, err error) {
	err = s.do(&entry{Topic: r.Name}, func(span) error {
		t, err = s.makeTopic(ctx, r)
		return err
	})
	return t, err
}

func (s *store) CreateSubscription(ctx context.Context, r *pb.Subscription) (sub *pb.Subscription, err error) {
	err = s.do(&entry{Subscription: r}, func(span) error {
		sub, err = s.makeSubscription(ctx, r)
		return err
	})
	return sub, err
}

func (s *store) Acknowledge(ctx context.Context, r *pb.AcknowledgeRequest) (empty *emptypb.Empty, err error) {
	empty, err = s.GServer.Acknowledge(ctx, r)
	if err != nil {
		return nil, err
	}
	e := &entry{From: r.Subscription}
	s.mu.Lock()
	defer s.mu.Unlock()
	sub := s.subscriptions[r.Subscription]
	for _, id := range r.AckIds {
		id, _, _ = strings.Cut(id, ":") // behind it stands which delivery it was
		if number, ok := sub.waiting[id]; ok {
			delete(sub.waiting, id)
			sub.acked[number] = true
			e.Acked = append(e.Acked, number)
		}
	}
	if err := s.write(e); err != nil { // the disk may lose it: it would be delivered again
		return nil, err
	}
	return empty, s.feed(ctx, sub)
}

func (s *store) Publish(ctx context.Context, r *pb.PublishRequest) (*pb.PublishResponse, error) {
	if err := checkRules(r); err != nil {
		return nil, err
	}
	leave := s.control.enter(r.Topic + " " + r.Messages[0].OrderingKey)
	defer leave()
	f := s.control.fault(r)
	if f != nil && !f.lost {
		return nil, f.err()
	}
	answer, err := s.publish(ctx, r)
	if err == nil && f != nil { // accepted, and nobody is told
		return nil, f.err()
	}
	return answer, err
}

func (s *store) publish(ctx context.Context, r *pb.PublishRequest) (*pb.PublishResponse, error) {
	// Says so when there is none.
	if _, err := s.GetTopic(ctx, &pb.GetTopicRequest{Topic: r.Topic}); err != nil {
		return nil, err
	}
	e := &entry{Topic: r.Topic}
	for _, m := range r.Messages {
		e.Messages = append(e.Messages, message{m.Data, m.Attributes, m.OrderingKey})
	}
	answer := &pb.PublishResponse{}
	err := s.do(e, func(where span) error {
		first := s.topics[r.Topic].add(where, len(e.Messages))
		for i := range e.Messages {
			answer.MessageIds = append(answer.MessageIds, fmt.Sprint(first+i))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.control.accepted(r.Topic, len(r.Messages))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range s.topics[r.Topic].subscriptions {
		if err := s.feed(ctx, sub); err != nil {
			return nil, err
		}
	}
	return answer, nil
}
