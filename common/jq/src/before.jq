# What jaq's own definitions shall build on: they divide by zero, and tell types by comparing.
def empty: {}[] as $x | .;
def null: [][0];
def true: 0 == 0;
def false: 0 != 0;
def tostring: "\(.)";
def type: type_name;
def infinite: float_infinite;
def nan: float_nan;
def isboolean: type == "boolean";
def isnumber: type == "number";
def isstring: type == "string";
def isarray: type == "array";
def isobject: type == "object";
def select(f): if f then . else empty end;
def arrays: select(type == "array");
def objects: select(type == "object");
def iterables: select(type == "array" or type == "object");
def booleans: select(type == "boolean");
def numbers: select(type == "number");
def strings: select(type == "string");
def scalars: select(type != "array" and type != "object");

# Tells null and numbers as gojq does; a definition of jaq needs it.
def join($separator): reduce .[] as $x (null; (if . == null then "" else . + $separator end)
  + ($x | if . == null then "" elif type == "string" then . else tojson end)) // "";

# What jaq has in the language of its own library.
def ilogb: float_exponent;
def scalbln($x; $e): ldexp($x; $e);
def localtime: gmtime;
def strflocaltime($format): strftime($format);
def debug_empty: empty;
def stderr_empty: empty;
