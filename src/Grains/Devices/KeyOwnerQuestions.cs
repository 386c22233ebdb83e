namespace Muster.Grains.Devices;

/// <summary>
/// Whose the keys are of those who were refused as one serial, in one minute: who is refused comes again at once, and each time would be a
/// question to a grain without an end. One after the other, and none once an owner was told.
/// </summary>
internal sealed class KeyOwnerQuestions(long minute)
{
    /// <summary>Keys asked about in a minute: a thief has one or two, and who first comes with others of his own comes again.</summary>
    public const int KeysMax = 8;

    private readonly Queue<string> _waiting = new();
    private readonly HashSet<string> _known = [];
    private bool _isAsking;
    private bool _isTold;

    public long Minute => minute;

    /// <param name="key">The key's SHA-256, in hex.</param>
    /// <param name="tell">Tells the key's owner, if that is another device: true when it was.</param>
    public async Task AskAsync(string key, Func<string, Task<bool>> tell)
    {
        if (_isTold || _known.Count >= KeysMax || !_known.Add(key))
        {
            return;
        }

        _waiting.Enqueue(key);
        if (_isAsking)
        {
            return;
        }

        _isAsking = true;
        while (!_isTold && _waiting.TryDequeue(out var next))
        {
            _isTold = await tell(next);
        }

        _isAsking = false;
    }
}
