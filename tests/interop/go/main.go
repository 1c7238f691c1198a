// The CloudEvents SDK for Go as a peer: it sends the events it is told to, or receives events and tells what it saw.
//
//	peer send URL binary|structured|batch EVENTS   one line for each answer, then the end
//	peer receive                                   serves on a free port of loopback, one line for each event
//
// Lines are JSON objects on standard error, with a member "message".
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

// description is an event as both sides of the tests know it.
type description struct {
	ID, Source, Type                           string
	Subject, Time, DataSchema, DataContentType string
	Extensions                                 map[string]any
	// At most one of them; Binary is base64 on the way.
	JSON   json.RawMessage
	Text   *string
	Binary []byte
}

func main() {
	var err error
	switch {
	case len(os.Args) == 5 && os.Args[1] == "send":
		err = send(os.Args[2], os.Args[3], []byte(os.Args[4]))
	case len(os.Args) == 2 && os.Args[1] == "receive":
		err = receive()
	default:
		err = fmt.Errorf("unknown arguments %q", os.Args[1:])
	}
	if err != nil {
		line("failed", "error", err.Error())
		log.Fatal(err)
	}
}

var output sync.Mutex

// line writes one line of output: a message and pairs of name and value.
func line(message string, members ...any) {
	object := map[string]any{"message": message}
	for i := 0; i+1 < len(members); i += 2 {
		object[members[i].(string)] = members[i+1]
	}
	output.Lock()
	defer output.Unlock()
	if err := json.NewEncoder(os.Stderr).Encode(object); err != nil {
		log.Fatal(err)
	}
}

func send(url, mode string, text []byte) error {
	var descriptions []description
	if err := json.Unmarshal(text, &descriptions); err != nil {
		return err
	}
	events := make([]event.Event, 0, len(descriptions))
	for _, d := range descriptions {
		e, err := build(d)
		if err != nil {
			return fmt.Errorf("%s: %w", d.ID, err)
		}
		events = append(events, e)
	}
	if mode == "batch" {
		request, err := cehttp.NewHTTPRequestFromEvents(context.Background(), url, events)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		line("sent", "status", response.StatusCode)
		return response.Body.Close()
	}
	protocol, err := cloudevents.NewHTTP()
	if err != nil {
		return err
	}
	// Without the defaults, which would add a time.
	client, err := cloudevents.NewClient(protocol)
	if err != nil {
		return err
	}
	ctx := cloudevents.ContextWithTarget(context.Background(), url)
	switch mode {
	case "binary":
		ctx = cloudevents.WithEncodingBinary(ctx)
	case "structured":
		ctx = cloudevents.WithEncodingStructured(ctx)
	default:
		return fmt.Errorf("unknown mode %q", mode)
	}
	for _, e := range events {
		result := client.Send(ctx, e)
		var answer *cehttp.Result
		if !cloudevents.IsACK(result) || !cloudevents.ResultAs(result, &answer) {
			return fmt.Errorf("%s: %w", e.ID(), result)
		}
		line("sent", "status", answer.StatusCode)
	}
	return nil
}

func build(d description) (event.Event, error) {
	e := cloudevents.NewEvent()
	e.SetID(d.ID)
	e.SetSource(d.Source)
	e.SetType(d.Type)
	if d.Subject != "" {
		e.SetSubject(d.Subject)
	}
	if d.DataSchema != "" {
		e.SetDataSchema(d.DataSchema)
	}
	if d.Time != "" {
		at, err := time.Parse(time.RFC3339Nano, d.Time)
		if err != nil {
			return e, err
		}
		e.SetTime(at)
	}
	for name, value := range d.Extensions {
		// JSON knows one kind of number, the SDK tells integers from others.
		if number, ok := value.(float64); ok {
			value = int32(number)
		}
		e.SetExtension(name, value)
	}
	var err error
	switch {
	case d.JSON != nil && strings.HasSuffix(d.DataContentType, "+json"):
		// Known of this SDK: in structured mode it would write a string with the JSON text in it.
		err = e.SetData(d.DataContentType, []byte(d.JSON))
	case d.JSON != nil:
		err = e.SetData(d.DataContentType, d.JSON)
	case d.Text != nil && strings.HasPrefix(d.DataContentType, "text/plain"):
		err = e.SetData(d.DataContentType, *d.Text)
	case d.Text != nil:
		err = e.SetData(d.DataContentType, []byte(*d.Text))
	case d.Binary != nil:
		err = e.SetData(d.DataContentType, d.Binary)
	case d.DataContentType != "":
		e.SetDataContentType(d.DataContentType)
	}
	if err == nil {
		err = e.Validate()
	}
	return e, err
}

func receive() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	line("listening", "address", listener.Addr().String())
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		events, mode, err := read(r)
		if err != nil {
			line("refused", "error", err.Error(), "mode", mode)
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, e := range events {
			told(e, mode, r.URL.Path)
		}
		w.WriteHeader(http.StatusAccepted)
	}))
}

func read(r *http.Request) ([]event.Event, string, error) {
	if cehttp.IsHTTPBatch(r.Header) {
		events, err := cehttp.NewEventsFromHTTPRequest(r)
		return events, "batch", err
	}
	mode := "binary"
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/cloudevents") {
		mode = "structured"
	}
	e, err := cehttp.NewEventFromHTTPRequest(r)
	if err != nil {
		return nil, mode, err
	}
	return []event.Event{*e}, mode, e.Validate()
}

// told says what the SDK made of an event: every attribute as text, the data as base64.
func told(e event.Event, mode, path string) {
	attributes := map[string]string{
		"specversion": e.SpecVersion(), "id": e.ID(), "source": e.Source(), "type": e.Type(),
	}
	optional := map[string]string{
		"subject": e.Subject(), "dataschema": e.DataSchema(), "datacontenttype": e.DataContentType(),
	}
	for name, value := range optional {
		if value != "" {
			attributes[name] = value
		}
	}
	if !e.Time().IsZero() {
		attributes["time"] = e.Time().Format(time.RFC3339Nano)
	}
	for name, value := range e.Extensions() {
		attributes[name] = fmt.Sprint(value)
	}
	line("received", "mode", mode, "path", path, "attributes", attributes, "data", e.Data())
}
