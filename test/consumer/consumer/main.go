// SPDX-License-Identifier: Apache-2.0

// consumer receives messages as consumers of kollect 1.x do: by gocloud.dev v0.23 and a URL.
//
//	consumer [--idle SECONDS] [--ready FILE] URL COUNT
//
// Each message is acknowledged, decoded, and written as one line of JSON (package event). It ends with 0
// when COUNT different ids have come and nothing else does; with 1 when nothing has come for so long
// (default 60 s) before that, and when a message is no Envelope, or its states are no objects.
// FILE is made when the subscription counts: on core NATS, nothing that came before it is seen.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	servicebus "github.com/Azure/azure-service-bus-go"
	"github.com/Shopify/sarama"
	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awserr"
	"github.com/aws/aws-sdk-go/aws/client"
	"github.com/aws/aws-sdk-go/aws/request"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/nats-io/nats.go"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/awssnssqs"
	"gocloud.dev/pubsub/azuresb"
	_ "gocloud.dev/pubsub/gcppubsub"
	"gocloud.dev/pubsub/kafkapubsub"
	"gocloud.dev/pubsub/natspubsub"
	_ "gocloud.dev/pubsub/rabbitpubsub"

	"kollect.test/consumer/event"
)

// What comes after the last message that was waited for is a copy, or a mistake.
const linger = time.Second

func main() {
	log.SetFlags(0)
	log.SetPrefix("consumer: ")
	idle := flag.Float64("idle", 60, "seconds")
	ready := flag.String("ready", "", "file to make when subscribed")
	flag.Parse()
	if flag.NArg() != 2 {
		log.Fatal("usage: consumer [--idle SECONDS] [--ready FILE] URL COUNT")
	}
	count, err := strconv.Atoi(flag.Arg(1))
	if err != nil {
		log.Fatal(err)
	}
	schema, err := event.Load()
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	sub, err := subscribe(ctx, flag.Arg(0), count)
	if err != nil {
		log.Fatal(err)
	}
	if *ready != "" {
		if err := os.WriteFile(*ready, nil, 0o644); err != nil {
			log.Fatal(err)
		}
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	err = receive(ctx, sub, schema, out, count, time.Duration(*idle*float64(time.Second)))
	if ferr := out.Flush(); err == nil {
		err = ferr
	}
	// What is acknowledged reaches the server by this.
	if serr := sub.Shutdown(ctx); err == nil {
		err = serr
	}
	cancel()
	if err != nil {
		log.Fatal(err)
	}
}

// subscribe opens the URL. Four drivers need more than it can say: Kafka begins behind what is there, NATS
// drops what has not been received fast enough, SQS ends at the first connection that is reset, and Service
// Bus sends one message and no more (https://github.com/google/go-cloud/issues/2980): as many as are wanted
// have to be asked for at once.
func subscribe(ctx context.Context, from string, count int) (*pubsub.Subscription, error) {
	u, err := url.Parse(from)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case awssnssqs.SQSScheme:
		sess, err := session.NewSession(request.WithRetryer(aws.NewConfig(),
			persistent{client.DefaultRetryer{NumMaxRetries: 10}}))
		if err != nil {
			return nil, err
		}
		return (&awssnssqs.URLOpener{ConfigProvider: sess}).OpenSubscriptionURL(ctx, u)
	case kafkapubsub.Scheme:
		config := kafkapubsub.MinimalConfig()
		config.Consumer.Offsets.Initial = sarama.OffsetOldest
		opener := &kafkapubsub.URLOpener{Brokers: strings.Split(os.Getenv("KAFKA_BROKERS"), ","),
			Config: config}
		return opener.OpenSubscriptionURL(ctx, u)
	case natspubsub.Scheme:
		return subscribeNATS(ctx, u)
	case azuresb.Scheme:
		opener := &azuresb.URLOpener{ConnectionString: os.Getenv("SERVICEBUS_CONNECTION_STRING"),
			ServiceBusSubscriptionOptions: []servicebus.SubscriptionOption{
				servicebus.SubscriptionWithPrefetchCount(uint32(count + 1))}}
		return opener.OpenSubscriptionURL(ctx, u)
	}
	return pubsub.OpenSubscription(ctx, from)
}

// persistent asks again when a connection is reset with an answer on its way, which the SDK by itself does not:
// what that answer held comes again when it has not been acknowledged for long enough.
type persistent struct{ client.DefaultRetryer }

func (p persistent) ShouldRetry(r *request.Request) bool {
	var e awserr.Error
	return errors.As(r.Error, &e) && e.Code() == request.ErrCodeRequestError || p.DefaultRetryer.ShouldRetry(r)
}

func subscribeNATS(ctx context.Context, u *url.URL) (*pubsub.Subscription, error) {
	conn, err := nats.Connect(os.Getenv("NATS_SERVER_URL"))
	if err != nil {
		return nil, err
	}
	sub, err := (&natspubsub.URLOpener{Connection: conn}).OpenSubscriptionURL(ctx, u)
	if err != nil {
		return nil, err
	}
	var inner *nats.Subscription
	if sub.As(&inner) {
		if err := inner.SetPendingLimits(-1, -1); err != nil {
			return nil, err
		}
	}
	return sub, conn.Flush()
}

type received struct {
	message *pubsub.Message
	err     error
}

// receive writes what comes until count ids are there and it is quiet. One goroutine receives, since
// several would lose the order that the bus keeps.
func receive(ctx context.Context, sub *pubsub.Subscription, schema *event.Schema, out *bufio.Writer,
	count int, idle time.Duration) error {
	messages := make(chan received, 1024)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		for {
			m, err := sub.Receive(ctx)
			messages <- received{m, err}
			if err != nil {
				return
			}
		}
	}()
	ids := map[string]bool{}
	lines := json.NewEncoder(out)
	for {
		patience := idle
		if len(ids) >= count {
			patience = linger
		}
		select {
		case r := <-messages:
			if r.err != nil {
				return r.err
			}
			e, err := schema.Decode(r.message.Body)
			if err != nil {
				return fmt.Errorf("message %d: %w", len(ids), err)
			}
			e.Attributes = r.message.Metadata
			if err := lines.Encode(e); err != nil {
				return err
			}
			ids[e.ID] = true
			r.message.Ack()
		case <-time.After(patience):
			if len(ids) < count {
				return fmt.Errorf("%d of %d messages, and nothing more for %v", len(ids), count, idle)
			}
			return nil
		}
	}
}
