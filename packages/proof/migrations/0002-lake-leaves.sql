-- What the lake took, span by span, as records of a log; and up to where it was read.
create table lake_leaf (seq bigint primary key, record text not null);
create table lake_leaf_position (one boolean primary key default true check (one), at bigint not null);
