/**
 * A whole Ceph for one: a monitor, an object store that is a file (8 GiB, of which only what is used takes room), and the gateway that speaks S3. Run by `sh` in the instance's folder, with the ports and
 * the key in the environment; ends with everything that it started, on SIGTERM.
 *
 * What it takes, found by trial: the monitor's address in both protocols, since tools of one release speak the older one; keys, since the gateway refuses to start
 * without; a store on a file, since the one in memory crashes; what is deleted gives its room back soon, since a store that is full stops
 * answering. Whatever takes its time is waited for, so that the signal is heard at once.
 */
export const CEPH_SCRIPT = `
set -eu
pids=
stop() { trap - TERM EXIT; kill -KILL $pids 2>/dev/null || :; wait; }
trap 'stop; exit 143' TERM
trap 'stop; exit 1' EXIT
folder=$PWD
do_wait() { timeout 80 "$@" & wait $!; }

if [ ! -e ready ]; then
  mkdir -p mon osd
  fsid=$(cat /proc/sys/kernel/random/uuid)
  addresses="[v2:127.0.0.1:$MON_V2_PORT,v1:127.0.0.1:$MON_V1_PORT]"
  cat > ceph.conf <<END
[global]
fsid = $fsid
mon host = $addresses
keyring = $folder/keyring
run dir = $folder
admin socket = $folder/\\$name.asok
pid file = $folder/\\$name.pid
log file = $folder/server.log
crash dir = $folder/crash
public addr = 127.0.0.1
cluster addr = 127.0.0.1
mon data = $folder/mon
mon allow pool size one = true
mon max pg per osd = 1000
osd data = $folder/osd
osd objectstore = bluestore
bluestore block size = 8589934592
bluestore cache size = 33554432
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
rgw gc obj min wait = 5
rgw gc processor period = 5
END
  ceph-authtool --create-keyring keyring --gen-key -n mon. --cap mon 'allow *'
  ceph-authtool keyring --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
  ceph-authtool keyring --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
  monmaptool --create --addv a "$addresses" --fsid "$fsid" monmap
  ceph-mon -c ceph.conf --mkfs -i a --monmap monmap --keyring keyring
fi
ceph-mon -c ceph.conf -i a -f & pids="$pids $!"
if [ ! -e ready ]; then
  osd=$(cat /proc/sys/kernel/random/uuid)
  do_wait ceph -c ceph.conf osd new "$osd" 0
  do_wait ceph-osd -c ceph.conf -i 0 --mkfs --osd-uuid "$osd"
fi
ceph-osd -c ceph.conf -i 0 -f & pids="$pids $!"
if [ ! -e ready ]; then
  do_wait radosgw-admin -c ceph.conf user create --uid=test --display-name=test --access-key="$ACCESS_KEY" --secret-key="$SECRET_KEY" > /dev/null
  touch ready
fi
radosgw -c ceph.conf -n client.admin -f --rgw-frontends="beast endpoint=127.0.0.1:$HTTP_PORT" & pids="$pids $!"
wait $!
`
