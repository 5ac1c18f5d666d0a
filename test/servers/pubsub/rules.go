// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// checkRules refuses what the service refuses and pstest does not. The limits:
// https://cloud.google.com/pubsub/quotas#resource_limits
func checkRules(r *pb.PublishRequest) error {
	if n := len(r.Messages); n == 0 || n > 1000 {
		return status.Errorf(codes.InvalidArgument, "The value for message_count is too %s. "+
			"You passed %d in the request, but the maximum value is 1000.",
			map[bool]string{true: "small", false: "large"}[n == 0], n)
	}
	for _, m := range r.Messages {
		if m.OrderingKey != r.Messages[0].OrderingKey {
			return status.Error(codes.FailedPrecondition, "In a single publish request, all "+
				"messages must have no ordering key or they must all have the same ordering key.")
		}
		if err := checkMessage(m); err != nil {
			return err
		}
	}
	return nil
}

func checkMessage(m *pb.PubsubMessage) error {
	if len(m.Data) == 0 && len(m.Attributes) == 0 {
		return status.Error(codes.InvalidArgument, "One or more messages in the publish request "+
			"is empty. Each message must contain either non-empty data, or at least one attribute.")
	}
	if len(m.Data) > 10_000_000 {
		return status.Error(codes.InvalidArgument, "The message data is too large.")
	}
	if len(m.OrderingKey) > 1024 {
		return status.Error(codes.InvalidArgument, "The ordering key is too long.")
	}
	if len(m.Attributes) > 100 {
		return status.Error(codes.InvalidArgument, "The message has too many attributes.")
	}
	for name, value := range m.Attributes {
		if name == "" || len(name) > 256 || strings.HasPrefix(name, "goog") || len(value) > 1024 {
			return status.Errorf(codes.InvalidArgument, "The attribute %q is not allowed.", name)
		}
	}
	return nil
}
