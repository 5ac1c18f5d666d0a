// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/proto"
)

// pstest goes through all messages of a subscription a hundred times a second,
// and for each pull. So a subscription there is given this many at a time, by a
// topic of its own, as earlier ones are acknowledged.
const fed = 2000

// span is a line of the file.
type span struct {
	offset int64
	length int
}

type topic struct {
	lines         []span // of messages
	messages      int
	subscriptions []*subscription
}

type subscription struct {
	of      *topic
	source  string         // the topic in pstest that feeds it
	line    int            // of the topic: the next to be fed
	number  int            // of that line's first message
	waiting map[string]int // fed: the number in the topic, by pstest's id
	acked   map[int]bool
}

// add returns the number of the line's first message.
func (t *topic) add(where span, n int) int {
	t.lines = append(t.lines, where)
	t.messages += n
	return t.messages - n
}

func (s *store) makeTopic(ctx context.Context, r *pb.Topic) (*pb.Topic, error) {
	made, err := s.GServer.CreateTopic(ctx, r)
	if err == nil {
		s.topics[r.Name] = &topic{}
	}
	return made, err
}

func (s *store) makeSubscription(ctx context.Context, r *pb.Subscription) (*pb.Subscription, error) {
	if _, err := s.GetTopic(ctx, &pb.GetTopicRequest{Topic: r.Topic}); err != nil {
		return nil, err
	}
	source := r.Name + "/source"
	if _, err := s.GServer.CreateTopic(ctx, &pb.Topic{Name: source}); err != nil {
		return nil, err
	}
	inner := proto.Clone(r).(*pb.Subscription)
	inner.Topic = source
	if _, err := s.GServer.CreateSubscription(ctx, inner); err != nil {
		return nil, err
	}
	t := s.topics[r.Topic]
	sub := &subscription{of: t, source: source, line: len(t.lines), number: t.messages,
		waiting: map[string]int{}, acked: map[int]bool{}}
	t.subscriptions = append(t.subscriptions, sub)
	s.subscriptions[r.Name] = sub
	return r, nil
}

// feed gives pstest what it may have now, under mu.
func (s *store) feed(ctx context.Context, sub *subscription) error {
	for len(sub.waiting) < fed && sub.line < len(sub.of.lines) {
		e, err := s.read(sub.of.lines[sub.line])
		if err != nil {
			return err
		}
		sub.line++
		for _, m := range e.Messages {
			number := sub.number
			sub.number++
			if sub.acked[number] {
				continue
			}
			answer, err := s.GServer.Publish(ctx, &pb.PublishRequest{Topic: sub.source,
				Messages: []*pb.PubsubMessage{{Data: m.Data, Attributes: m.Attributes,
					OrderingKey: m.OrderingKey}}})
			if err != nil {
				return err
			}
			sub.waiting[answer.MessageIds[0]] = number
		}
	}
	return nil
}

func (s *store) read(where span) (e entry, err error) {
	line := make([]byte, where.length)
	if err := s.out.Flush(); err != nil {
		return e, err
	}
	if _, err := s.file.ReadAt(line, where.offset); err != nil {
		return e, err
	}
	return e, json.Unmarshal(line, &e)
}
