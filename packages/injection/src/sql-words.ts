const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Begin a statement. */
export const STATEMENTS = words(
  'select insert update delete drop create alter truncate exec execute declare waitfor shutdown merge replace grant revoke call copy attach',
);
export const LOGIC = words('and or xor');
/** Operators that are words. */
export const COMPARISONS = words('like rlike regexp ilike similar glob between in is sounds');
export const KEYWORDS = words(
  `from where set into values table database all distinct as by order group having limit offset case when then else
   end null true false not exists join inner outer left right on using procedure outfile dumpfile begin cast convert
   returning fetch first rows only top collate asc desc interval with delay time user password schema view index`,
);
export const CONSTANT_WORDS = words('null true false unknown');
/** Functions that cost time, read files or leave the database: nobody sends these to a SaaS tool by chance. */
export const STRONG_FUNCTIONS = words(
  `sleep benchmark pg_sleep pg_sleep_for randomblob zeroblob load_file extractvalue updatexml gtid_subset gtid_subtract
   xp_cmdshell xp_dirtree xp_regread sp_executesql sp_oacreate sp_password openrowset opendatasource dbms_lock
   receive_message utl_http utl_inaddr get_host_address httpuritype xmltype load_extension lo_import pg_read_file
   pg_ls_dir dblink query_to_xml database_to_xml json_keys analyse dbms_pipe dbms_ldap sys_eval sys_exec generate_series
   unhex group_concat string_agg fn_varbintohexstr randstr`,
);
export const FUNCTIONS = words(
  `ascii char chr concat concat_ws substring substr mid left right length len count version user current_user
   session_user system_user database schema if iif ifnull nullif coalesce elt make_set ord hex bin cast convert min max
   sum avg floor rand round exp now char_length lower upper reverse hex instr position locate strcmp isnull lpad rpad
   md5 sha1 decode nvl to_char db_name host_name suser_name quotename typeof changes last_insert_rowid sqlite_version
   current_database rownum row upper conv unicode chr2 substring_index find_in_set field interval json_extract`,
);
export const CATALOGS = words(
  `information_schema sqlite_master sqlite_schema pg_catalog pg_tables pg_user pg_shadow sysobjects syscolumns sysusers
   all_tables user_tables mysql sys sysibm msysaccessobjects msysobjects v$version dual`,
);
