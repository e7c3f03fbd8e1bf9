-- Events of all devices, as telegraf-postgresql.conf writes them. PostgreSQL 14 or later, psql 15 or later; may be run again.
-- With TimescaleDB, afterwards: SELECT create_hypertable('plate_events', 'time', if_not_exists => true);

CREATE TABLE IF NOT EXISTS plate_events (
    "time"      timestamptz NOT NULL, -- last seen
    device      text NOT NULL,
    camera      text NOT NULL,
    stage       text NOT NULL,
    country     text,
    direction   text,
    id          text NOT NULL,
    text        text NOT NULL,
    raw_text    text,
    confidence  double precision NOT NULL,
    first_seen  text NOT NULL,
    duration_s  double precision,
    dwell_s     double precision,
    looks       bigint,
    agreeing    bigint,
    match_list  text,
    match_kind  text,
    match_plate text,
    match_label text,
    test        boolean
);

CREATE TABLE IF NOT EXISTS plate_devices (
    "time" timestamptz NOT NULL,
    device text NOT NULL,
    state  text NOT NULL
);

-- An event may come twice; it is stored once. (Timescale wants the time in a unique index, and the same event always has the same.)
CREATE UNIQUE INDEX IF NOT EXISTS plate_events_once ON plate_events (device, id, stage, "time");
CREATE INDEX IF NOT EXISTS plate_events_by_text ON plate_events (text, "time" DESC);
CREATE INDEX IF NOT EXISTS plate_events_by_time ON plate_events ("time" DESC);
CREATE INDEX IF NOT EXISTS plate_devices_by_device ON plate_devices (device, "time" DESC);

-- COPY, by which Telegraf writes, would fail whole on one event that is there: leave that one out instead.
CREATE OR REPLACE FUNCTION plate_events_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM plate_events e WHERE e.device = NEW.device AND e.id = NEW.id AND e.stage = NEW.stage AND e."time" = NEW."time") THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER plate_events_once BEFORE INSERT ON plate_events FOR EACH ROW EXECUTE FUNCTION plate_events_once();

-- Which devices are there now, and since when. (The broker tells the same state again when Telegraf has a new session; that is no change.)
CREATE OR REPLACE VIEW plate_devices_now AS
    SELECT DISTINCT ON (device) device, state, "time" AS since
    FROM (SELECT device, state, "time", lag(state) OVER (PARTITION BY device ORDER BY "time") AS before FROM plate_devices) told
    WHERE state IS DISTINCT FROM before
    ORDER BY device, "time" DESC;

-- Plates are personal data: run this daily, for instance SELECT plate_events_forget('30 days'). It says how many went.
CREATE OR REPLACE FUNCTION plate_events_forget(older_than interval) RETURNS bigint LANGUAGE sql AS $$
    WITH gone AS (DELETE FROM plate_events WHERE "time" < now() - older_than RETURNING 1) SELECT count(*) FROM gone;
$$;

-- Telegraf may add, and look for what is there; it can change and delete nothing.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'telegraf') THEN
        CREATE ROLE telegraf LOGIN;
    END IF;
END $$;
GRANT SELECT, INSERT ON plate_events, plate_devices TO telegraf;

-- Its password, where the environment tells one: compose.yaml does. (By hand: TELEGRAF_PASSWORD=... psql -f schema.sql, or ALTER ROLE telegraf PASSWORD '...')
\getenv word TELEGRAF_PASSWORD
\if :{?word}
ALTER ROLE telegraf PASSWORD :'word';
\endif
