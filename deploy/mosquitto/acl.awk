# Writes Mosquitto's ACL from the configuration, so that the two cannot drift:
#
#   awk -f deploy/mosquitto/acl.awk /etc/watchfire/gateways.toml > /etc/mosquitto/watchfire.acl
#
# Names are exact and nothing is a pattern: what is not listed may do nothing. A gateway's certificate has the CN
# ENTERPRISE-GATEWAY (hongxin-GW01), a siren controller's siren-ENTERPRISE-ZONE, or siren-ENTERPRISE where one drives them all.

function key(    text) {
    text = $0
    sub(/[ \t]*=.*/, "", text)
    gsub(/[" \t]/, "", text)
    return text
}
BEGIN {
    print "# Made by acl.awk from gateways.toml. Do not edit: change the configuration and make it again."
    print ""
    print "# The engine reads readings and is the only one that may command a siren. Never issue a certificate of this name."
    print "user watchfire"
    print "topic read watchfire/v1/+"
    print "topic read watchfire/v1/+/+"
    print "topic write watchfire/v1/+/siren/+"
}
{ sub(/\r$/, "") }
/^[ \t]*\[/ {
    gsub(/[][" \t]/, "")
    split($0, part, ".")
    section = part[1]
    enterprise = part[2]
    # One more level or another section: not ours.
    if (section != "gateways" && section != "sirens") enterprise = ""
    if (section == "sirens" && enterprise != "") {
        # It only listens, and only to its own enterprise.
        print "\nuser siren-" enterprise
        print "topic read watchfire/v1/" enterprise "/siren/+"
    }
    next
}
section == "sirens" && enterprise != "" && /^[ \t]*"?[^ \t#"=]+"?[ \t]*=/ {
    zone = key()
    print "\nuser siren-" enterprise "-" zone
    print "topic read watchfire/v1/" enterprise "/siren/" zone
}
section == "gateways" && enterprise != "" && /^[ \t]*"?[^ \t#"=]+"?[ \t]*=/ {
    # A batch one level deep, single readings two levels deep. Sirens lie three levels deep, out of its reach.
    print "\nuser " enterprise "-" key()
    print "topic write watchfire/v1/" enterprise
    print "topic write watchfire/v1/" enterprise "/+"
}
