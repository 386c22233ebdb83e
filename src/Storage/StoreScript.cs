using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Muster.Storage;

/// <summary>A script that is sent by its digest, and whole only to a server that has not seen it.</summary>
internal sealed class StoreScript
{
    public static readonly StoreScript Commit = Load("CommitScript.lua");
    public static readonly StoreScript RaiseFence = Load("FenceScript.lua");
    public static readonly StoreScript MoveReader = Load("ReaderScript.lua");
    public static readonly StoreScript DropReader = Load("DropReaderScript.lua");
    public static readonly StoreScript RaiseTrimMark = Load("TrimScript.lua");
    public static readonly StoreScript Scan = Load("ScanScript.lua");

    private readonly string _text;
    private readonly byte[] _digest;

    private StoreScript(string text)
    {
        _text = text;
#pragma warning disable CA5350 // The protocol names scripts by SHA-1; nothing is protected by it.
        _digest = SHA1.HashData(Encoding.UTF8.GetBytes(text));
#pragma warning restore CA5350
    }

    public async Task<RedisResult> EvaluateAsync(IDatabaseAsync database, RedisKey[] keys, RedisValue[] values)
    {
        try
        {
            return await database.ScriptEvaluateAsync(_digest, keys, values).ConfigureAwait(false);
        }
        catch (RedisServerException exception) when (exception.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
        {
            return await database.ScriptEvaluateAsync(_text, keys, values, CommandFlags.NoScriptCache).ConfigureAwait(false);
        }
    }

    private static StoreScript Load(string name)
    {
        var assembly = typeof(StoreScript).Assembly;
        using var stream = assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The script {name} is missing from {assembly.GetName().Name}.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return new StoreScript(reader.ReadToEnd());
    }
}
