namespace Muster.EmbeddedStore;

/// <summary>What the store's folder holds, and what room there is around it.</summary>
internal sealed class StoreFolder(string path)
{
    private const string LogFolder = "AOF";

    private readonly DriveInfo _drive = new(path);

    public string Path => path;

    public long FreeBytes => _drive.AvailableFreeSpace;

    /// <summary>Segments of the log, with those that the next commit of a checkpoint takes away.</summary>
    public long LogBytes => Sum(file => IsLog(file.FullName));

    /// <summary>What the newest checkpoint takes, and an older one that is still there.</summary>
    public long CheckpointBytes => Sum(file => !IsLog(file.FullName));

    private bool IsLog(string file) => file.StartsWith(System.IO.Path.Combine(path, LogFolder), StringComparison.Ordinal);

    private long Sum(Func<FileInfo, bool> counts)
    {
        var bytes = 0L;
        foreach (var file in new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories))
        {
            try
            {
                bytes += counts(file) ? file.Length : 0;
            }
            catch (FileNotFoundException)
            {
                // Taken away in between.
            }
        }

        return bytes;
    }
}
