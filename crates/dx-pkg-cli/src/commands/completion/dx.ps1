# PowerShell completion of dx
Register-ArgumentCompleter -Native -CommandName dx -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    # The cursor counts from the beginning of all that is typed, not from this command.
    $end = $cursorPosition - $commandAst.Extent.StartOffset
    $line = $commandAst.ToString()
    $line = if ($end -gt $line.Length) { "$line " } else { $line.Substring(0, $end) }
    & dx __complete powershell $line 2>$null | ForEach-Object {
        $word, $help = $_ -split "`t", 2
        if (-not $help) { $help = $word }
        # Without quotes, @scope/name would be a variable of that name.
        $text = if ($word -match '^@|[^\w\-./:=@+~]') { "'" + $word.Replace("'", "''") + "'" } else { $word }
        [System.Management.Automation.CompletionResult]::new($text, $word, 'ParameterValue', $help)
    }
}
