// A Pub/Sub server for tests: Google's own fake (cloud.google.com/go/pubsub/v2/pstest) behind a gRPC server of ours, which
// adds what the fake has not: credentials that are looked at, the limit of a request, refusals and hanging on demand, and
// of REST, which Google's clients use for administration, the one call to look at a subscription.
// A second port takes commands as JSON and tells what happened.
package main

import (
	"bufio"
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// maxRequest is the largest request that Pub/Sub takes: https://cloud.google.com/pubsub/quotas.
const maxRequest = 10_000_000

// fault is what becomes of the calls of one method. After: the call is done first, and only its answer is lost.
type fault struct {
	Method string `json:"method"`
	Code   string `json:"code"`
	Text   string `json:"text"`
	Times  int    `json:"times"`
	After  bool   `json:"after"`
	Hang   bool   `json:"hang"`
	// OneIn: of so many calls one is treated like that.
	OneIn int `json:"one_in"`
}

// call is what was seen of the calls of one method.
type call struct {
	Count         int    `json:"count"`
	Authorization string `json:"authorization"`
	// Unconfirmed is how many were done and not said to be.
	Unconfirmed int    `json:"unconfirmed"`
	MaxMessages int64  `json:"max_messages,omitempty"`
	MaxBytes    int64  `json:"max_bytes,omitempty"`
	AckDeadline int32  `json:"ack_deadline,omitempty"`
	ClientID    string `json:"client_id,omitempty"`
}

type server struct {
	fake *pstest.Server

	mu      sync.Mutex
	faults  map[string][]*fault
	calls   map[string]*call
	bearer  string
	streams map[int]*seen
	next    int
	// out are deliveries by what the client calls them, latest the last one of each message.
	out     map[string]*delivery
	latest  map[string]string
	count   int
	abandon time.Duration
	random  *rand.Rand
}

// admit counts a call and says what becomes of it.
func (s *server) admit(ctx context.Context, method string) (*fault, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.calls[method]
	if seen == nil {
		seen = &call{}
		s.calls[method] = seen
	}
	seen.Count++
	md, _ := metadata.FromIncomingContext(ctx)
	seen.Authorization = strings.Join(md.Get("authorization"), ",")
	if s.bearer != "" && seen.Authorization != s.bearer {
		return nil, status.Error(codes.Unauthenticated, "Request had invalid authentication credentials.")
	}
	for _, found := range s.faults[method] {
		if found.Times == 0 || found.OneIn > 1 && s.random.IntN(found.OneIn) > 0 {
			continue
		}
		if found.Times > 0 {
			found.Times--
		}
		copied := *found
		return &copied, nil
	}
	return nil, nil
}

// unconfirmed counts what was done without being said to be: messages, or calls.
func (s *server) unconfirmed(method string, request any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if request, ok := request.(*pb.PublishRequest); ok {
		s.calls[method].Unconfirmed += len(request.Messages)
	} else {
		s.calls[method].Unconfirmed++
	}
}

func (f *fault) err() error {
	var code codes.Code
	if err := code.UnmarshalJSON([]byte(`"` + f.Code + `"`)); err != nil {
		code = codes.Internal
	}
	return status.Error(code, f.Text)
}

func (s *server) unary(
	ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (answer any, err error) {
	// The fake panics over what it does not know, such as an acknowledgement of a message from before it was restarted.
	defer func() {
		if reason := recover(); reason != nil {
			err = status.Errorf(codes.Internal, "%v", reason)
		}
	}()
	method := info.FullMethod[strings.LastIndex(info.FullMethod, "/")+1:]
	fault, err := s.admit(ctx, method)
	if err != nil {
		return nil, err
	}
	if message, ok := request.(proto.Message); ok && proto.Size(message) > maxRequest {
		return nil, status.Errorf(codes.InvalidArgument, "The request size exceeds %d bytes.", maxRequest)
	}
	if fault == nil || fault.After {
		answer, err := handler(ctx, s.translated(request))
		if fault == nil || err != nil {
			return answer, err
		}
		s.unconfirmed(method, request)
	}
	if fault.Hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, fault.err()
}

func (s *server) stream(
	service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	fault, err := s.admit(stream.Context(), info.FullMethod[strings.LastIndex(info.FullMethod, "/")+1:])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	if fault != nil && fault.Hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if fault != nil {
		return fault.err()
	}
	looked := &seen{
		ServerStream: stream, server: s, ctx: ctx, cancel: cancel, out: map[string]*delivery{}, room: sync.NewCond(&s.mu),
	}
	defer context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		looked.room.Broadcast()
	})()
	s.mu.Lock()
	id := s.next
	s.next++
	s.streams[id] = looked
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.streams, id)
		if s.abandon > 0 {
			time.AfterFunc(s.abandon, func() { s.handBack(looked) })
		}
	}()
	done := make(chan error, 1)
	go func() { done <- handler(service, looked) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return status.Error(codes.Unavailable, "The service was unable to fulfill your request.")
	}
}

// abandonAfter is how long messages stay hidden whose stream has ended, where that is less than their deadline. The service
// knows no such thing; a test that kills clients has no time to wait for deadlines.
func (s *server) abandonAfter(_ context.Context, milliseconds int64) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abandon = time.Duration(milliseconds) * time.Millisecond
	return true, nil
}

type subscription struct {
	Name        string `json:"name"`
	Topic       string `json:"topic"`
	Ordering    bool   `json:"ordering"`
	ExactlyOnce bool   `json:"exactly_once"`
	AckDeadline int32  `json:"ack_deadline"`
	DeadLetter  string `json:"dead_letter"`
	Attempts    int32  `json:"attempts"`
}

type message struct {
	Topic      string            `json:"topic"`
	Data       string            `json:"data"`
	Attributes map[string]string `json:"attributes"`
	Key        string            `json:"key"`
	Count      int               `json:"count"`
}

type published struct {
	ID         string            `json:"id"`
	Topic      string            `json:"topic"`
	Data       string            `json:"data"`
	Attributes map[string]string `json:"attributes"`
	Key        string            `json:"key"`
	Deliveries int               `json:"deliveries"`
	Acks       int               `json:"acks"`
	Deadlines  []int32           `json:"deadlines"`
}

func (s *server) publish(_ context.Context, m message) (any, error) {
	data, err := base64.StdEncoding.DecodeString(m.Data)
	if err != nil {
		return nil, err
	}
	var ids []string
	for number := 0; number < max(1, m.Count); number++ {
		each := data
		if m.Count > 0 {
			each = []byte(strings.ReplaceAll(string(data), "{n}", fmt.Sprint(number)))
		}
		ids = append(ids, s.fake.PublishOrdered(m.Topic, each, m.Attributes, m.Key))
	}
	return ids, nil
}

func (s *server) subscribe(ctx context.Context, wanted subscription) (any, error) {
	if wanted.AckDeadline == 0 {
		wanted.AckDeadline = 10
	}
	request := &pb.Subscription{
		Name: wanted.Name, Topic: wanted.Topic, AckDeadlineSeconds: wanted.AckDeadline,
		EnableMessageOrdering: wanted.Ordering, EnableExactlyOnceDelivery: wanted.ExactlyOnce,
	}
	if wanted.DeadLetter != "" {
		request.DeadLetterPolicy = &pb.DeadLetterPolicy{
			DeadLetterTopic: wanted.DeadLetter, MaxDeliveryAttempts: wanted.Attempts,
		}
	}
	return s.fake.GServer.CreateSubscription(ctx, request)
}

func (s *server) messages(context.Context, struct{}) (any, error) {
	all := []published{}
	for _, m := range s.fake.Messages() {
		one := published{
			ID: m.ID, Topic: m.Topic, Data: base64.StdEncoding.EncodeToString(m.Data), Attributes: m.Attributes,
			Key: m.OrderingKey, Deliveries: m.Deliveries, Acks: m.Acks,
		}
		for _, modack := range m.Modacks {
			one.Deadlines = append(one.Deadlines, modack.AckDeadline)
		}
		all = append(all, one)
	}
	return all, nil
}

// fail lets the calls of a method fail from now on in the ways given, the first that applies.
func (s *server) fail(_ context.Context, faults []*fault) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		s.faults[f.Method] = nil
	}
	for _, f := range faults {
		s.faults[f.Method] = append(s.faults[f.Method], f)
	}
	return true, nil
}

func (s *server) require(_ context.Context, bearer string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bearer = bearer
	return true, nil
}

func (s *server) seenCalls(context.Context, struct{}) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	copied := map[string]call{}
	for method, seen := range s.calls {
		copied[method] = *seen
	}
	return copied, nil
}

func (s *server) breakStreams(context.Context, struct{}) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := len(s.streams)
	for _, stream := range s.streams {
		stream.cancel()
	}
	return count, nil
}

// statuses are the HTTP codes of what REST answers: https://cloud.google.com/apis/design/errors#handling_errors.
var statuses = map[codes.Code]int{
	codes.InvalidArgument: 400, codes.FailedPrecondition: 400, codes.Unauthenticated: 401, codes.PermissionDenied: 403,
	codes.NotFound: 404, codes.ResourceExhausted: 429, codes.Unimplemented: 501, codes.Unavailable: 503,
}

// names are the codes as REST writes them.
var names = map[codes.Code]string{
	codes.InvalidArgument: "INVALID_ARGUMENT", codes.FailedPrecondition: "FAILED_PRECONDITION",
	codes.Unauthenticated: "UNAUTHENTICATED", codes.PermissionDenied: "PERMISSION_DENIED", codes.NotFound: "NOT_FOUND",
	codes.ResourceExhausted: "RESOURCE_EXHAUSTED", codes.Unimplemented: "UNIMPLEMENTED", codes.Unavailable: "UNAVAILABLE",
}

// rest looks at a subscription.
func (s *server) rest(w http.ResponseWriter, r *http.Request) {
	ctx := metadata.NewIncomingContext(r.Context(), metadata.Pairs("authorization", r.Header.Get("Authorization")))
	info := &grpc.UnaryServerInfo{FullMethod: "/google.pubsub.v1.Subscriber/GetSubscription"}
	request := &pb.GetSubscriptionRequest{Subscription: strings.TrimPrefix(r.URL.Path, "/v1/")}
	answer, err := s.unary(ctx, request, info, func(ctx context.Context, request any) (any, error) {
		return s.fake.GServer.GetSubscription(ctx, request.(*pb.GetSubscriptionRequest))
	})
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		told := status.Convert(err)
		code, known := statuses[told.Code()]
		if !known {
			code = http.StatusInternalServerError
		}
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"error": map[string]any{"code": code, "message": told.Message(), "status": names[told.Code()]},
		})
		return
	}
	body, _ := protojson.Marshal(answer.(proto.Message))
	_, _ = w.Write(body)
}

// split is a listener of connections that somebody else accepts.
type split struct {
	net.Listener
	connections chan net.Conn
}

func (s split) Accept() (net.Conn, error) { return <-s.connections, nil }

// begun is a connection of which a few bytes have been looked at.
type begun struct {
	net.Conn
	reader *bufio.Reader
}

func (b begun) Read(into []byte) (int, error) { return b.reader.Read(into) }

// share hands connections that begin as HTTP/2 does to one listener, all others to the other.
func share(listener net.Listener, grpc, rest split) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			reader := bufio.NewReader(connection)
			start, err := reader.Peek(3)
			switch {
			case err != nil:
				_ = connection.Close()
			case string(start) == "PRI":
				grpc.connections <- begun{connection, reader}
			default:
				rest.connections <- begun{connection, reader}
			}
		}()
	}
}

// command answers a POST: JSON in, JSON out; 400 with the reason when it failed.
func command[I any](path string, run func(context.Context, I) (any, error)) {
	http.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		var input I
		err := json.NewDecoder(r.Body).Decode(&input)
		var output any
		if err == nil {
			output, err = run(r.Context(), input)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(output)
	})
}

func main() {
	port := flag.Int("port", 0, "port for gRPC")
	control := flag.Int("control", 0, "port for commands")
	seed := flag.Uint64("seed", 0, "for what is left to chance")
	flag.Parse()
	pstest.SetMinAckDeadline(time.Second)
	s := &server{
		fake: pstest.NewServerWithAddress("127.0.0.1:0"), faults: map[string][]*fault{}, calls: map[string]*call{},
		streams: map[int]*seen{}, out: map[string]*delivery{}, latest: map[string]string{}, random: rand.New(rand.NewPCG(*seed, 0)),
	}
	gserver := &s.fake.GServer
	command("/topic", func(ctx context.Context, name string) (any, error) {
		return gserver.CreateTopic(ctx, &pb.Topic{Name: name})
	})
	command("/topic/delete", func(ctx context.Context, name string) (any, error) {
		return gserver.DeleteTopic(ctx, &pb.DeleteTopicRequest{Topic: name})
	})
	command("/subscription", s.subscribe)
	command("/subscription/delete", func(ctx context.Context, name string) (any, error) {
		return gserver.DeleteSubscription(ctx, &pb.DeleteSubscriptionRequest{Subscription: name})
	})
	command("/publish", s.publish)
	command("/messages", s.messages)
	command("/fail", s.fail)
	command("/require", s.require)
	command("/calls", s.seenCalls)
	command("/break", s.breakStreams)
	command("/abandon", s.abandonAfter)
	issued := &accounts{keys: map[string]*rsa.PublicKey{}}
	command("/account", issued.issue)
	command("/account/verify", issued.verify)

	// Whoever finds the other port open may give commands.
	commands, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *control))
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(commands, nil)) }()
	front := grpc.NewServer(
		grpc.MaxRecvMsgSize(2*maxRequest), grpc.UnaryInterceptor(s.unary), grpc.StreamInterceptor(s.stream),
	)
	pb.RegisterPublisherServer(front, gserver)
	pb.RegisterSubscriberServer(front, gserver)
	ofGrpc, ofRest := split{listener, make(chan net.Conn)}, split{listener, make(chan net.Conn)}
	go share(listener, ofGrpc, ofRest)
	go func() { log.Fatal(http.Serve(ofRest, http.HandlerFunc(s.rest))) }()
	log.Fatal(front.Serve(ofGrpc))
}
