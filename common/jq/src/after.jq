# What gojq has and jaq has not, or does otherwise.

# Nothing of the process is for a query to see, and nothing of an event is for the log.
def env: {};
def debug: .;
def debug(messages): .;
def stderr: .;
def halt_error: error;
def halt_error($code): error;

# jaq's collect what the filter gives where it cannot be counted.
def sort_by(f): [.[] | [[f], .]] | sort_pairs;
def group_by(f): [.[] | [[f], .]] | group_pairs;
def unique_by(f): [group_by(f)[] | .[0]];
def unique: unique_by(.);
def min_by(f): [.[] | [[f], .]] | sort_pairs[0];
def max_by(f): [.[] | [[f], .]] | sort_pairs[-1];
def min: sort[0];
def max: sort[-1];
def keys: keys_unsorted;

def tonumber: if type == "number" then . elif type == "string" then
    (try fromjson catch null) as $number | if ($number | type) == "number" then $number
    else error("cannot parse as number: string (\(tojson))") end
  else error("cannot be parsed as number: \(type) (\(tojson))") end;
def toboolean: if type == "boolean" then . elif . == "true" then true elif . == "false" then false
  else error("cannot be parsed as boolean: \(type) (\(tojson))") end;
def transpose: if . == [] then [] else . as $rows | (map(length) | max) as $length
  | [range($length) as $i | [$rows[][$i]]] end;
def in(xs): . as $x | xs | has($x);
def inside(xs): . as $x | xs | contains($x);
def index($i): indices($i) | .[0]?;
def rindex($i): indices($i) | .[-1]?;
def toarray: if type == "array" then . else [.] end;
def flatten: [recurse(arrays[]) | select(type != "array")];
def flatten($depth): if $depth < 0 then error("flatten depth must not be negative") else
  [.[] | if type == "array" and $depth > 0 then flatten($depth - 1)[] else . end] end;
def leaf_paths: paths(type != "array" and type != "object");
def ascii: [.] | implode;
def isvalid(f): try (f | true) catch false;
def recurse_down: recurse;
def combinations: if length == 0 then [] else .[0][] as $x | (.[1:] | combinations) as $rest | [$x] + $rest end;
def combinations($n): . as $dot | [range($n) | $dot] | combinations;
def walk(f): def inner: if type == "object" then map_values(inner) elif type == "array" then map(inner) else . end | f;
  inner;
def delpaths($paths): reduce ($paths | sort | reverse)[] as $path (.; if $path == [] then null else
  if getpath($path[:-1]) == null then . else getpath($path[:-1]) |= (.[$path[-1]] |= empty) end end);
def del(f): delpaths([path(f)]);
def from_entries: reduce .[] as $entry ({}; . + {($entry
    | if .key != null then .key elif .k != null then .k elif .name != null then .name elif .Name != null then .Name
      elif .Key != null then .Key elif .K != null then .K else .key end
    | if type == "string" then . else tojson end):
  ($entry | if has("value") then .value elif has("v") then .v else .Value end)});
def with_entries(f): to_entries | map(f) | from_entries;
def ltrimstr($s): if type == "string" and ($s | type) == "string" and startswith($s)
  then .[($s | length):] else . end;
def rtrimstr($s): if type == "string" and ($s | type) == "string" and endswith($s) and $s != ""
  then .[:-($s | length)] else . end;
def trimstr($s): ltrimstr($s) | rtrimstr($s);
def IN(source): any(source == .; .);
def IN(source; s): any(source == s; .);
def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] = $row);
def INDEX(f): INDEX(.[]; f);
def GROUP_BY(f): group_by(f);
def tostream: path(def r: (.[]? | r), .; r) as $p | getpath($p)
  | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);
def fromstream(f): {x: null, e: false} as $init | foreach f as $i ($init;
  if .e then $init else . end
  | if $i | length == 2 then .e = ($i[0] | length == 0) | setpath(["x"] + $i[0]; $i[1])
    else .e = ($i[0] | length == 1) end;
  if .e then .x else empty end);
def truncate_stream(s): . as $n | null | s | if (.[0] | length) > $n then .[0] |= .[$n:] else empty end;

def capture_of_match: [.[1:][] | select(.name != null) | {key: .name, value: .string}] | from_entries;
def test($re; $flags): matches($re; $flags) != [];
def match($re; $flags): matches($re; $flags)[] | (.[0] | del(.name)) + {captures: .[1:]};
def capture($re; $flags): matches($re; $flags)[] | capture_of_match;
def scan($re; $flags): matches($re; "g" + $flags)[] | if length > 1 then [.[1:][].string] else .[0].string end;
def split($re; $flags): split_($re; "g" + $flags);
def splits($re; $flags): split($re; $flags)[];
def sub($re; f; $flags): reduce split_matches($re; $flags)[] as $part ("";
  . + ($part | if type == "array" then capture_of_match | f else . end));
def gsub($re; f; $flags): sub($re; f; "g" + $flags);
def test($re): if ($re | type) == "array" then test($re[0]; $re[1]) else test($re; null) end;
def match($re): if ($re | type) == "array" then match($re[0]; $re[1]) else match($re; null) end;
def capture($re): if ($re | type) == "array" then capture($re[0]; $re[1]) else capture($re; null) end;
def scan($re): scan($re; null);
def splits($re): splits($re; null);
def sub($re; f): sub($re; f; null);
def gsub($re; f): gsub($re; f; null);

def todateiso8601: strftime("%Y-%m-%dT%H:%M:%SZ");
def todate: todateiso8601;
def dateadd(unit; $n): . + $n;
def datesub(unit; $n): . - $n;
def date: todate;
def have_literal_numbers: true;
def have_decnum: false;

def @json: tojson;
def @base32: tostring | encode_base32;
def @base32d: tostring | decode_base32;
def cell(quoted): if type == "string" then quoted elif . == null then ""
  elif type == "array" or type == "object" then error("a row cannot hold: \(type) (\(tojson))") else tojson end;
def @csv: map(cell("\"" + (split("\"") | join("\"\"")) + "\"")) | join(",");
def @tsv: map(cell(gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\r"; "\\r") | gsub("\n"; "\\n"))) | join("\t");
def format($name): if $name == "json" then @json elif $name == "text" then @text elif $name == "csv" then @csv
  elif $name == "tsv" then @tsv elif $name == "html" then @html elif $name == "uri" then @uri
  elif $name == "sh" then @sh elif $name == "base64" then @base64 elif $name == "base64d" then @base64d
  elif $name == "base32" then @base32 elif $name == "base32d" then @base32d
  else error("format not defined: \($name)") end;
