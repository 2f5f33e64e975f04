# fish completion of dx
function __dx_complete
    set -l found (dx __complete fish (commandline -cp | string collect) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c dx -f -a '(__dx_complete)'
