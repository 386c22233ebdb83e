using System.Buffers;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts.Commit;
using Muster.Domain;
using Muster.Storage;
using Orleans.Serialization;

namespace Muster.Redis.Tests;

/// <summary>Bytes on disk. A test that fails here means: data of an older version cannot be read any more.</summary>
public sealed class RecordLayoutTests
{
    private static readonly Guid CommitId = new("00112233-4455-6677-8899-aabbccddeeff");

    private readonly PayloadSerializer _payloads =
        new(new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>());

    [Fact]
    public void Names_OfEachField_AreThese()
    {
        Assert.Equal("{p7}:c", RecordLayout.PartitionKey(7));
        var key = new RecordKey("muster.device", "default/A1");
        Assert.Equal("r:muster.device/default/A1", RecordLayout.RecordField(key));
        Assert.Equal("v:muster.device/default/A1", RecordLayout.VersionField(key));
        Assert.Equal("k:muster.device/default/A1", RecordLayout.ColdField(key));
        Assert.Equal("{p7}:q", RecordLayout.ReadersKey(7));
        Assert.Equal("x:rollout/default/spring", RecordLayout.FenceField("rollout/default/spring"));
        Assert.Equal("f42", RecordLayout.FactField(42));
        Assert.Equal(new RecordKey("muster.device", "default/A1"), RecordLayout.ParseRecordField("r:muster.device/default/A1"));
    }

    [Fact]
    public void Reader_AtAPosition_HasThisTextAndIsReadBack()
    {
        var position = new FeedPosition(42, 0xFEED);

        Assert.Equal("42 000000000000feed 16384", ReaderBytes.Of(position, 16_384));
        Assert.Equal(position, ReaderBytes.Parse("42 000000000000feed 16384"));
        Assert.Throws<InvalidDataException>(() => ReaderBytes.Parse("42"));
    }

    [Fact]
    public void Stamp_OfVersionAndCommitId_HasTheseBytes()
    {
        Assert.Equal("000000000000000500112233445566778899AABBCCDDEEFF", Convert.ToHexString(RecordLayout.Stamp(5, CommitId)));
        Assert.Equal("0000000000000005", Convert.ToHexString(RecordLayout.ExpectedVersion(5)));
        Assert.Empty(RecordLayout.ExpectedVersion(0));
    }

    [Fact]
    public void Header_Written_HasTheseBytesAndIsReadBack()
    {
        var header = new RecordHeader(5, CommitId, DateTimeOffset.FromUnixTimeMilliseconds(1_767_225_600_000));
        var writer = new ArrayBufferWriter<byte>();

        RecordLayout.WriteHeader(writer, header);

        Assert.Equal("01000000000000000500112233445566778899AABBCCDDEEFF0000019B76DAA800", Convert.ToHexString(writer.WrittenSpan));
        Assert.Equal(header, RecordLayout.ReadHeader(writer.WrittenSpan));
    }

    [Theory]
    [InlineData("")]
    [InlineData("01")]
    [InlineData("02000000000000000500112233445566778899AABBCCDDEEFF0000019B76DAA800")]
    public void ReadHeader_OfAnythingElse_IsRefused(string hex) =>
        Assert.Throws<InvalidDataException>(() => RecordLayout.ReadHeader(Convert.FromHexString(hex)));

    [Fact]
    public void Record_OfGoldenBytes_IsReadBack()
    {
        var record = new NoteRecord { Text = "golden", FactsTotal = 3 };
        var bytes = _payloads.Record(new RecordHeader(5, CommitId, null), record);

        Assert.Equal(Golden.Record, Convert.ToHexString(bytes));
        Assert.Equal(record, _payloads.ReadRecord<NoteRecord>(Convert.FromHexString(Golden.Record)));
    }

    [Fact]
    public void Entry_OfGoldenBytes_IsReadBack()
    {
        var entry = new FeedEntry
        {
            Id = CommitId,
            Record = new RecordKey("muster.device", "default/A1"),
            Version = 5,
            At = DateTimeOffset.FromUnixTimeMilliseconds(1_767_225_600_000),
            Actor = Actor.Operator("anna"),
            Fact = new NoteWritten { Text = "golden", Number = 3 },
            IsLast = true,
        };

        Assert.Equal(Golden.Entry, Convert.ToHexString(_payloads.Entry(entry)));
        Assert.Equal(entry, _payloads.ReadEntry(Convert.FromHexString(Golden.Entry)));
    }

    [Fact]
    public void Cold_WhenTakenAway_IsTheFormatByteAlone()
    {
        Assert.Equal("01", Convert.ToHexString(_payloads.Cold(null)));
        Assert.Null(_payloads.ReadCold(new byte[] { 1 }));
        Assert.Null(_payloads.ReadCold(ReadOnlyMemory<byte>.Empty));
        Assert.Equal(new NoteCold("settings"), _payloads.ReadCold(_payloads.Cold(new NoteCold("settings"))));
        Assert.Throws<InvalidDataException>(() => _payloads.ReadCold(new byte[] { 2 }));
    }
}
