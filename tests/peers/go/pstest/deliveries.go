// Deliveries: the fake calls a message the same each time it is delivered, and takes what comes too late. The service does
// not: a message that has gone to somebody else can be acknowledged, but neither kept nor handed back. It also sends no more
// than the client wants, of which the fake takes no notice.
package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc"
)

// seen is a stream whose first message is looked at, which can be broken from outside, and on which no more messages are
// out than the client wants.
type seen struct {
	grpc.ServerStream
	server   *server
	ctx      context.Context
	cancel   context.CancelFunc
	name     string
	most     int64
	deadline time.Duration
	out      map[string]*delivery
	room     *sync.Cond
}

// delivery is a message on its way to be acknowledged.
type delivery struct {
	message string
	stream  *seen
	until   time.Time
}

func (s *seen) Context() context.Context { return s.ctx }

func (s *seen) RecvMsg(message any) error {
	err := s.ServerStream.RecvMsg(message)
	// Only the first one names the subscription.
	if request, ok := message.(*pb.StreamingPullRequest); ok && err == nil && request.Subscription != "" {
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		s.name, s.most = request.Subscription, request.MaxOutstandingMessages
		s.deadline = time.Duration(request.StreamAckDeadlineSeconds) * time.Second
		seen := s.server.calls["StreamingPull"]
		seen.MaxMessages = request.MaxOutstandingMessages
		seen.MaxBytes = request.MaxOutstandingBytes
		seen.AckDeadline = request.StreamAckDeadlineSeconds
		seen.ClientID = request.ClientId
	}
	return err
}

func (s *seen) SendMsg(message any) error {
	if response, ok := message.(*pb.StreamingPullResponse); ok {
		message = s.named(response)
	}
	return s.ServerStream.SendMsg(message)
}

// named waits for room and gives the messages names of this delivery.
func (s *seen) named(response *pb.StreamingPullResponse) *pb.StreamingPullResponse {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	for s.most > 0 && s.held() >= s.most && s.ctx.Err() == nil {
		// What a client has let expire makes room too.
		waking := time.AfterFunc(time.Second, s.room.Broadcast)
		s.room.Wait()
		waking.Stop()
	}
	named := &pb.StreamingPullResponse{SubscriptionProperties: response.SubscriptionProperties}
	for _, received := range response.ReceivedMessages {
		s.server.count++
		name := fmt.Sprintf("%s/%d", received.AckId, s.server.count)
		one := &delivery{message: received.AckId, stream: s, until: time.Now().Add(s.deadline)}
		s.out[name], s.server.out[name], s.server.latest[received.AckId] = one, one, name
		named.ReceivedMessages = append(named.ReceivedMessages, &pb.ReceivedMessage{
			AckId: name, Message: received.Message, DeliveryAttempt: received.DeliveryAttempt,
		})
	}
	return named
}

// held is how many messages are out on the stream.
func (s *seen) held() int64 {
	var held int64
	for _, one := range s.out {
		if time.Now().Before(one.until) {
			held++
		}
	}
	return held
}

// translated is a request in the names of the fake, without what comes too late.
func (s *server) translated(request any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch request := request.(type) {
	case *pb.AcknowledgeRequest:
		known := &pb.AcknowledgeRequest{Subscription: request.Subscription}
		for _, name := range request.AckIds {
			if one := s.out[name]; one != nil {
				known.AckIds = append(known.AckIds, one.message)
				s.end(name, one)
			}
		}
		return known
	case *pb.ModifyAckDeadlineRequest:
		known := &pb.ModifyAckDeadlineRequest{
			Subscription: request.Subscription, AckDeadlineSeconds: request.AckDeadlineSeconds,
		}
		for _, name := range request.AckIds {
			one := s.out[name]
			if one == nil || s.latest[one.message] != name {
				continue
			}
			known.AckIds = append(known.AckIds, one.message)
			if request.AckDeadlineSeconds == 0 {
				s.end(name, one)
			} else {
				one.until = time.Now().Add(time.Duration(request.AckDeadlineSeconds) * time.Second)
			}
		}
		return known
	}
	return request
}

// end makes room for another message.
func (s *server) end(name string, one *delivery) {
	delete(s.out, name)
	delete(one.stream.out, name)
	one.stream.room.Broadcast()
}

// handBack makes what was out on a stream that has ended available again.
func (s *server) handBack(stream *seen) {
	s.mu.Lock()
	request := &pb.ModifyAckDeadlineRequest{Subscription: stream.name}
	for name, one := range stream.out {
		if s.latest[one.message] == name {
			request.AckIds = append(request.AckIds, one.message)
		}
		s.end(name, one)
	}
	s.mu.Unlock()
	_, _ = s.fake.GServer.ModifyAckDeadline(context.Background(), request)
}
