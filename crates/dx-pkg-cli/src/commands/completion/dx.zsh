#compdef dx
# zsh completion of dx
_dx() {
    local -a found
    found=("${(@f)$(dx __complete zsh "${(j: :)words[1,CURRENT-1]} $PREFIX" 2>/dev/null)}")
    if [[ -n "$found" ]]; then
        _describe 'dx' found
    else
        _files
    fi
}
if [[ "$funcstack[1]" == _dx ]]; then
    _dx "$@"
elif (( $+functions[compdef] )); then
    compdef _dx dx
fi
