{{/* Where events go. */}}

{{/* The address of an adapter of this release: (dict "root" $ "adapter" $a). */}}
{{- define "trestle.url" -}}
{{- $scheme := ternary "https" "http" .adapter.https -}}
{{- $port := int .adapter.servicePort -}}
{{- $suffix := ternary "" (printf ":%d" $port) (eq $port (ternary 443 80 .adapter.https)) -}}
{{- printf "%s://%s.%s.svc.%s%s" $scheme .adapter.fullname .root.Release.Namespace .root.Values.clusterDomain $suffix -}}
{{- end -}}

{{/* The address that a destination means: (dict "root" $ "all" $adapters "adapter" $a "to" DESTINATION "what" "sink"). */}}
{{- define "trestle.address" -}}
{{- $found := "" -}}
{{- if kindIs "string" .to -}}{{- $found = .to -}}
{{- else if .to.adapter -}}
{{- range $one := .all -}}
{{- if eq $one.name $.to.adapter -}}
{{- if not $one.fact.serves -}}{{- include "trestle.refuse" (dict "adapter" $.adapter "problem" (printf "%s is adapter %s, which takes no events (%s)" $.what $one.name $one.kind)) -}}{{- end -}}
{{- $found = include "trestle.url" (dict "root" $.root "adapter" $one) -}}
{{- end -}}
{{- end -}}
{{- if not $found -}}{{- include "trestle.refuse" (dict "adapter" .adapter "problem" (printf "%s is adapter %s, which is not there" .what .to.adapter)) -}}{{- end -}}
{{- else if .to.ref -}}
{{- if or (ne .to.ref.kind "Service") (ne (.to.ref.apiVersion | default "v1") "v1") -}}
{{- include "trestle.refuse" (dict "adapter" .adapter "problem" (printf "%s is a %s, whose address only Knative knows: set mode to SinkBinding or ContainerSource, or give its uri" .what .to.ref.kind)) -}}
{{- end -}}
{{- $found = printf "http://%s.%s.svc.%s" .to.ref.name (.to.ref.namespace | default .root.Release.Namespace) .root.Values.clusterDomain -}}
{{- end -}}
{{- if and (not (kindIs "string" .to)) .to.uri -}}
{{- if and $found (hasPrefix "/" .to.uri) -}}{{- $found = printf "%s%s" $found .to.uri -}}{{- else -}}{{- $found = .to.uri -}}{{- end -}}
{{- end -}}
{{- if not $found -}}{{- include "trestle.refuse" (dict "adapter" .adapter "problem" (printf "%s says neither uri nor adapter nor ref" .what)) -}}{{- end -}}
{{- $found -}}
{{- end -}}

{{/* The same as Knative's `sink`. */}}
{{- define "trestle.destination" -}}
{{- $destination := dict -}}
{{- if or (kindIs "string" .to) (not .to.ref) -}}
{{- $_ := set $destination "uri" (include "trestle.address" .) -}}
{{- else -}}
{{- $ref := deepCopy .to.ref -}}
{{- if not $ref.apiVersion -}}
{{- if ne $ref.kind "Service" -}}{{- include "trestle.refuse" (dict "adapter" .adapter "problem" (printf "%s.ref says no apiVersion of its %s" .what $ref.kind)) -}}{{- end -}}
{{- $_ := set $ref "apiVersion" "v1" -}}
{{- end -}}
{{- $_ := set $destination "ref" $ref -}}
{{- if .to.uri -}}{{- $_ := set $destination "uri" .to.uri -}}{{- end -}}
{{- end -}}
{{- if not (kindIs "string" .to) -}}
{{- range $name := list "CACerts" "audience" -}}
{{- if hasKey $.to $name -}}{{- $_ := set $destination $name (get $.to $name) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $destination -}}
{{- end -}}
