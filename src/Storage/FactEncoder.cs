using Muster.Contracts.Commit;

namespace Muster.Storage;

/// <summary>Makes feed entries of a commit's facts.</summary>
internal sealed class FactEncoder(PayloadSerializer payloads, WrittenEntries written)
{
    /// <summary>One entry per fact; row and due date stand in the last.</summary>
    public byte[][] Encode(RecordKey name, long version, CommitAttachments attachments)
    {
        if (attachments.Facts.IsDefaultOrEmpty)
        {
            return [];
        }

        var facts = new byte[attachments.Facts.Length][];
        for (var i = 0; i < facts.Length; i++)
        {
            var isLast = i == facts.Length - 1;
            var entry = new FeedEntry
            {
                Id = RandomId.Next(),
                Record = name,
                Version = version,
                At = attachments.At,
                Actor = attachments.Actor,
                Fact = attachments.Facts[i],
                IsLast = isLast,
                Row = isLast ? attachments.Row : null,
                DueAt = isLast ? attachments.DueAt : null,
            };
            facts[i] = payloads.Entry(entry);
            written.Add(entry, facts[i]);
        }

        return facts;
    }
}
