{{/* An adapter as the templates need it: with the defaults, what is known of its kind, and its mode. */}}

{{/* All that are there, as JSON. */}}
{{- define "trestle.adapters" -}}
{{- $facts := .Files.Get "files/adapters.json" | fromJson -}}
{{- $root := . -}}
{{- $all := list -}}
{{- $names := dict -}}
{{- range $given := .Values.adapters -}}
{{- if ne (toString $given.enabled) "false" -}}
{{- $adapter := mergeOverwrite (deepCopy $root.Values.defaults) (deepCopy $given) -}}
{{- $fullname := $given.fullnameOverride | default (printf "%s-%s" $root.Release.Name $given.name | trunc 52 | trimSuffix "-") -}}
{{- range $name := list $given.name (printf "%s " $fullname) -}}
{{- if hasKey $names $name -}}
{{- include "trestle.refuse" (dict "adapter" $given "problem" (printf "another one is called %s, too" (trim $name))) -}}
{{- end -}}
{{- $_ := set $names $name true -}}
{{- end -}}
{{- $_ := set $adapter "fullname" $fullname -}}
{{- $_ := set $adapter "fact" (get $facts $given.kind) -}}
{{- /* Where all events go is where those of sources go: a broker would get its own. */ -}}
{{- if and (ne $adapter.fact.role "source") (not (hasKey $given "sink")) -}}{{- $_ := unset $adapter "sink" -}}{{- end -}}
{{- $_ := set $adapter "single" (eq (include "trestle.single" $adapter) "true") -}}
{{- $_ := set $adapter "files_of_positions" (eq (include "trestle.keeps" $adapter) "true") -}}
{{- $_ := set $adapter "mode" (include "trestle.mode" (dict "root" $root "adapter" $adapter)) -}}
{{- $_ := set $adapter "https" (or (hasKey $adapter "tls") (hasKey ($adapter.config | default dict) "TLS_CERT_FILE")) -}}
{{- $_ := set $adapter "servicePort" (($adapter.service | default dict).port | default (ternary 443 80 $adapter.https)) -}}
{{- include "trestle.check" $adapter -}}
{{- $all = append $all $adapter -}}
{{- end -}}
{{- end -}}
{{- toRawJson $all -}}
{{- end -}}

{{/* Whether a setting is given, in whatever way that can be seen: (dict "adapter" $a "name" "X"). */}}
{{- define "trestle.given" -}}
{{- $file := printf "%s_FILE" .name -}}
{{- $found := or (hasKey (.adapter.config | default dict) .name) (hasKey (.adapter.config | default dict) $file) -}}
{{- $found = or $found (hasKey (.adapter.secretRefs | default dict) .name) (hasKey (.adapter.secretFiles | default dict) .name) -}}
{{- range $variable := .adapter.env -}}
{{- $found = or $found (eq $variable.name $.name) (eq $variable.name $file) -}}
{{- end -}}
{{- $found -}}
{{- end -}}

{{/* Whether positions are kept in files. */}}
{{- define "trestle.keeps" -}}
{{- $where := .fact.positions -}}
{{- if or (eq $where "") (eq $where "files") -}}{{- eq $where "files" -}}
{{- else -}}{{- ne (include "trestle.given" (dict "adapter" . "name" $where)) "true" -}}
{{- end -}}
{{- end -}}

{{/* Whether there can be one only. */}}
{{- define "trestle.single" -}}
{{- or (eq .fact.scaling "single") (eq (include "trestle.keeps" .) "true") -}}
{{- end -}}

{{/* Deployment, ContainerSource or SinkBinding. A ContainerSource has neither replicas nor a strategy: who needs one of
them is a Deployment with a SinkBinding instead. */}}
{{- define "trestle.mode" -}}
{{- $adapter := .adapter -}}
{{- $mode := $adapter.mode | default .root.Values.mode -}}
{{- if not (hasKey $adapter "sink") -}}Deployment
{{- else if ne $mode "ContainerSource" -}}{{- $mode -}}
{{- else if or (ne $adapter.fact.role "source") $adapter.single $adapter.keda.enabled (ne (int $adapter.replicas) 1) -}}SinkBinding
{{- else -}}ContainerSource
{{- end -}}
{{- end -}}

{{/* What the schema cannot see. */}}
{{- define "trestle.check" -}}
{{- $adapter := . -}}
{{- $why := "it can only be one" -}}
{{- if ne .fact.scaling "single" -}}{{- $why = printf "its positions are files unless %s is set, so it can only be one" .fact.positions -}}{{- end -}}
{{- if and .single (gt (int .replicas) 1) -}}
{{- include "trestle.refuse" (dict "adapter" . "problem" (printf "replicas is %d, but %s" (int .replicas) $why)) -}}
{{- end -}}
{{- if .keda.enabled -}}
{{- if eq .fact.scaler "" -}}{{- include "trestle.refuse" (dict "adapter" . "problem" "keda is enabled, but KEDA has no scaler for its system") -}}{{- end -}}
{{- if .single -}}{{- include "trestle.refuse" (dict "adapter" . "problem" (printf "keda is enabled, but %s" $why)) -}}{{- end -}}
{{- end -}}
{{- $names := dict -}}
{{- range $part := list "config" "secretRefs" "secretFiles" -}}
{{- range $name, $_value := get $adapter $part | default dict -}}
{{- if hasKey $names $name -}}{{- include "trestle.refuse" (dict "adapter" $adapter "problem" (printf "%s is given twice, in %s and in %s" $name (get $names $name) $part)) -}}{{- end -}}
{{- $_ := set $names $name $part -}}
{{- end -}}
{{- end -}}
{{- range $variable := .env -}}
{{- if hasKey $names $variable.name -}}{{- include "trestle.refuse" (dict "adapter" $adapter "problem" (printf "%s is given twice, in %s and in env" $variable.name (get $names $variable.name))) -}}{{- end -}}
{{- end -}}
{{- if and (eq .fact.role "source") (not (hasKey . "sink")) (not .envFrom) (ne (include "trestle.given" (dict "adapter" . "name" "K_SINK")) "true") -}}
{{- include "trestle.refuse" (dict "adapter" . "problem" "a source needs a sink") -}}
{{- end -}}
{{- end -}}
