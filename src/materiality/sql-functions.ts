const set = (list: string): ReadonlySet<string> => new Set(list.trim().split(/\s+/))

/** Functions of the engines in use that compute from what they are given, or from the catalogue, and do nothing else. */
const PURE = set(`
  count sum avg min max total countif count_if sumif any_value approx_count_distinct approx_distinct group_concat string_agg
  listagg array_agg json_agg jsonb_agg json_object_agg jsonb_object_agg json_arrayagg json_objectagg bit_and bit_or bit_xor
  bool_and bool_or every stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp regr_slope
  regr_intercept regr_r2 percentile_cont percentile_disc median mode quantile histogram_quantile arg_max arg_min grouping
  grouping_id rollup cube sets collect collect_list collect_set list
  row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
  abs ceil ceiling floor round trunc truncate mod div power pow sqrt cbrt exp ln log log2 log10 sign greatest least pi sin cos
  tan asin acos atan atan2 radians degrees random rand safe_divide width_bucket
  coalesce nullif ifnull isnull nvl nvl2 zeroifnull iif if iff decode choose cast try_cast safe_cast convert try_convert
  date time datetime timestamp year quarter month week day hour minute second weekday dayofweek dayofmonth dayofyear
  monthname dayname extract date_trunc date_part datepart datename datediff dateadd datefromparts date_add date_sub date_diff
  date_format date_bin time_bucket timestampdiff timestampadd timestamp_trunc datetime_trunc to_date to_timestamp to_char
  to_number to_days strftime julianday unixepoch now getdate getutcdate sysdate sysdatetime utc_timestamp curdate curtime
  current_date current_time current_timestamp localtimestamp clock_timestamp last_day eomonth age make_date make_time
  make_timestamp make_interval justify_days from_unixtime unix_timestamp str_to_date parse_date format_date add_months
  months_between isodate
  lower upper initcap lcase ucase trim ltrim rtrim btrim substr substring substring_index mid left right length len datalength
  char_length character_length octet_length bit_length lpad rpad repeat replicate space reverse replace translate insert concat
  concat_ws position strpos instr locate charindex patindex find_in_set field elt split split_part string_split
  string_to_array array_to_string starts_with ends_with startswith endswith contains regexp_replace regexp_match
  regexp_matches regexp_like regexp_substr regexp_extract regexp_count regexp_instr regexp_contains regexp_split_to_array
  regexp_split_to_table similarity soundex difference levenshtein unaccent ascii char chr unichar unicode hex unhex md5 sha1
  sha2 sha256 crc32 encode to_hex from_base64 to_base64 quote quotename quote_ident quote_literal format printf
  to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_rank ts_rank_cd ts_headline match against
  json json_object json_array json_build_object jsonb_build_object json_build_array jsonb_build_array json_extract json_value
  json_query json_extract_scalar json_extract_path json_extract_path_text jsonb_extract_path_text jsonb_path_query
  jsonb_path_exists json_each json_each_text jsonb_each jsonb_each_text json_tree json_array_elements jsonb_array_elements
  json_array_elements_text jsonb_array_elements_text json_array_length jsonb_array_length json_length json_keys
  jsonb_object_keys json_object_keys json_contains json_unquote json_type jsonb_typeof json_typeof json_valid json_table
  openjson to_json to_jsonb row_to_json parse_json
  row struct array array_length array_size array_upper array_lower array_contains array_position array_append array_cat
  array_remove array_distinct array_sort cardinality unnest explode flatten generate_series generate_date_array
  generate_subscripts sequence element_at map_keys map_values size
  typeof pg_typeof sqlite_version version user database schema current_user session_user current_database current_schema
  current_schemas db_name schema_name object_name object_id col_name type_name pg_size_pretty pg_total_relation_size
  pg_relation_size pg_table_size pg_indexes_size pg_database_size pg_get_viewdef pg_get_functiondef pg_get_indexdef
  pg_get_constraintdef pg_get_expr pg_get_userbyid pg_table_is_visible obj_description col_description format_type to_regclass
  has_table_privilege has_schema_privilege inet_aton inet_ntoa host
  newid gen_random_uuid uuid uuid_generate_v4 generate_uuid
  st_distance st_distancesphere st_dwithin st_within st_contains st_intersects st_intersection st_area st_length st_x st_y
  st_point st_makepoint st_setsrid st_transform st_buffer st_centroid st_geomfromtext st_geogfromtext st_astext st_asgeojson
  st_asewkt nodes labels relationships type id elementid properties keys head last tail range reduce point tointeger tofloat
  tostring toupper tolower shortestpath none single any all some
`)

/** What may stand before a bracket and calls nothing. */
const KEYWORDS = set(`
  select from where and or not in is on by as using values exists between like ilike rlike regexp similar over filter within
  group having order limit offset fetch top union except intersect minus distinct only join lateral apply case when then else
  end return with recursive materialized partition window interval key table explain analyze analyse describe show match
  optional unwind return yield escape collate default null true false pivot unpivot qualify sample tablesample array row
  int integer bigint smallint tinyint decimal numeric number float double real varchar nvarchar char nchar character varying
  text string bytes binary varbinary bit time timestamp date datetime datetime2 boolean
`)

/** How much of the text before a bracket is looked at. A name with more space behind it is none that we know. */
const LOOKED_AT = 128
/** A statement with more brackets is none that somebody wrote to read. */
const MOST_BRACKETS = 2_000
/** The whole name before a bracket: quoted, with dots, or behind a comment. */
const NAME = /([\p{L}\p{N}_$#@.*/"`\]]+)(\s*)$/u
/** Names of columns, not arguments: `WITH recent (id) AS …`, `AS t (a, b)`. */
const NAMES_COLUMNS = /(?:\bas|\bwith|\brecursive|\)\s*,)\s+[\p{L}\p{N}_"`]+\s*$/iu
/** What stands there may be the end of a comment, and the name before it. */
const IN_COMMENT = /(?:--|#)[^\n]*\n\s*$/
/** A command to the client: `\! sh`, `\gexec`. */
const CLIENT_COMMAND = /\\[!a-z]/i

/**
 * Does a text call a function that nobody here knows to be pure, or command the client that sends it? Inside literals and
 * comments too, since engines differ in what those are.
 *
 * UNTRUSTED: what a model wrote; read in time linear in it.
 */
export function mayDoMore(text: string): boolean {
  if (CLIENT_COMMAND.test(text)) return true
  let brackets = 0
  for (let at = text.indexOf('('); at >= 0; at = text.indexOf('(', at + 1)) {
    brackets += 1
    if (brackets > MOST_BRACKETS) return true
    if (isCall(text.slice(Math.max(0, at - LOOKED_AT), at))) return true
  }
  return false
}

function isCall(before: string): boolean {
  if (before.length === LOOKED_AT && before.trim() === '') return true
  const name = NAME.exec(before)?.[1]?.toLowerCase()
  if (name === undefined) return false
  if (IN_COMMENT.test(before)) return true
  return !PURE.has(name) && !KEYWORDS.has(name) && !/^[*/]$/.test(name) && !NAMES_COLUMNS.test(before)
}
